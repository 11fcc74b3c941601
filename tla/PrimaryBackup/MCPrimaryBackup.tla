-------------------------- MODULE MCPrimaryBackup ---------------------------
(* The bounded model: two clients of the primary and one of the backup, all  *)
(* of it explored.                                                           *)
EXTENDS PrimaryBackup

\* A claim that must fail.  A model in which the backup never serves what the
\* primary copied to it would satisfy Durable and be of no use.
NothingSurvives ==
    \A c \in BackupClient : answers[c] # <<>> => answers[c][1] = None

=============================================================================
