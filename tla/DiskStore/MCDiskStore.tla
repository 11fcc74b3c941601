---------------------------- MODULE MCDiskStore -----------------------------
(* The bounded model: three writers under two keys, all of it explored. *)
EXTENDS DiskStore

CONSTANTS w1, w2, w3, x, y

MCKeyOf == [w \in Writer |-> IF w = w2 THEN y ELSE x]

\* A claim that must fail.  A model in which no sync ever covers two puts would
\* satisfy Durable without saying anything about what waits for the next sync.
EachPutHasItsSync == Len(syncing) < 2

=============================================================================
