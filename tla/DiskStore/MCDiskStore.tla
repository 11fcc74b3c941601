---------------------------- MODULE MCDiskStore -----------------------------
(* The bounded model: three writers, all of it explored. *)
EXTENDS DiskStore

\* A claim that must fail.  A model in which no sync ever covers two puts would
\* satisfy Durable without saying anything about what waits for the next sync.
EachPutHasItsSync == Len(syncing) < 2

=============================================================================
