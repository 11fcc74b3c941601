---------------------------- MODULE MCDiskStore -----------------------------
(* The bounded model: three writers under two keys, all of it explored. *)
EXTENDS DiskStore

\* One writer, whichever, puts under the key that nobody reads.
MCKeyOf ==
    LET apart == CHOOSE w \in Writer : TRUE
        other == CHOOSE k \in Key : k # ReadKey
    IN  [w \in Writer |-> IF w = apart THEN other ELSE ReadKey]

\* A claim that must fail.  A model in which no sync ever covers two puts would
\* satisfy Durable without saying anything about what waits for the next sync.
EachPutHasItsSync == Len(syncing) < 2

=============================================================================
