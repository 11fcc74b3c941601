----------------------------- MODULE DiskStore ------------------------------
(***************************************************************************)
(* Registers on one disk that syncs while the store goes on.  Each writer  *)
(* puts once, under its key, and puts itself: so a value tells whose put   *)
(* it was.                                                                 *)
(*                                                                         *)
(* A put is answered when a sync that covers it is done.  Of two syncs the *)
(* later one is asked for when the earlier one is done, and covers all     *)
(* that was put in between.  A reader is answered by what is on the disk.  *)
(* A power loss takes what no finished sync covers, and the store is back  *)
(* at once: one that is down answers nobody, like one that is slow.        *)
(***************************************************************************)
EXTENDS Naturals, Sequences

CONSTANTS
    Key,            \* the keys
    ReadKey,        \* the one that the reader asks for
    Writer,         \* the writers, each of which puts once
    KeyOf,          \* KeyOf[w]: the key under which w puts
    None            \* what is under a key before the first put

VARIABLES
    disk,           \* disk[k]: what survives a power loss under key k
    syncing,        \* the puts that the sync under way covers, in their order
    waiting,        \* the puts that came after that sync was asked for
    asked,          \* all puts in the order in which they came
    acknowledged,   \* the puts that were answered
    answers         \* what the reader was answered, in order

vars == <<disk, syncing, waiting, asked, acknowledged, answers>>

\* The reader asks so often.
ReadsMax == 2

Range(seq) == {seq[i] : i \in DOMAIN seq}

TypeOK ==
    /\ disk \in [Key -> Writer \cup {None}]
    /\ Range(syncing) \subseteq Writer
    /\ Range(waiting) \subseteq Writer
    /\ Range(asked) \subseteq Writer
    /\ acknowledged \subseteq Writer
    /\ Range(answers) \subseteq Writer \cup {None}
    /\ Len(answers) <= ReadsMax

Init ==
    /\ disk = [k \in Key |-> None]
    /\ syncing = <<>>
    /\ waiting = <<>>
    /\ asked = <<>>
    /\ acknowledged = {}
    /\ answers = <<>>

-----------------------------------------------------------------------------

\* A put asks for a sync unless one is under way, which does not cover it.
Put(w) ==
    /\ w \notin Range(asked)
    /\ asked' = Append(asked, w)
    /\ IF syncing = <<>>
       THEN syncing' = <<w>> /\ UNCHANGED waiting
       ELSE waiting' = Append(waiting, w) /\ UNCHANGED syncing
    /\ UNCHANGED <<disk, acknowledged, answers>>

\* What a key holds after puts in their order.
Last(k, puts, before) ==
    LET Under(w) == KeyOf[w] = k
        mine == SelectSeq(puts, Under)
    IN  IF mine = <<>> THEN before ELSE mine[Len(mine)]

\* The puts that it covers are on the disk; those that came since are covered
\* by the next one.
SyncDone ==
    /\ syncing # <<>>
    /\ disk' = [k \in Key |-> Last(k, syncing, disk[k])]
    /\ acknowledged' = acknowledged \cup Range(syncing)
    /\ syncing' = waiting
    /\ waiting' = <<>>
    /\ UNCHANGED <<asked, answers>>

Get ==
    /\ Len(answers) < ReadsMax
    /\ answers' = Append(answers, disk[ReadKey])
    /\ UNCHANGED <<disk, syncing, waiting, asked, acknowledged>>

\* Whoever waited for an answer goes on waiting.
PowerLoss ==
    /\ syncing' = <<>>
    /\ waiting' = <<>>
    /\ UNCHANGED <<disk, asked, acknowledged, answers>>

-----------------------------------------------------------------------------

Next ==
    \/ \E w \in Writer : Put(w)
    \/ SyncDone
    \/ Get
    \/ PowerLoss

Spec == Init /\ [][Next]_vars

\* The place of a value in the order of the puts; what was there before them
\* has the place before the first.
Place(value) ==
    IF value = None THEN 0 ELSE CHOOSE i \in DOMAIN asked : asked[i] = value

\* What is under a key is not older than anything acknowledged under it.
Durable == \A w \in acknowledged : Place(w) <= Place(disk[KeyOf[w]])

\* The reader never sees something older than it has seen before, nor anything
\* that a power loss could take from it again.
Monotonic ==
    /\ \A i, j \in DOMAIN answers :
        i <= j => Place(answers[i]) <= Place(answers[j])
    /\ \A i \in DOMAIN answers : Place(answers[i]) <= Place(disk[ReadKey])

-----------------------------------------------------------------------------
(* Behaviours as wholes. *)

\* A sync that is under way ends.
FairSpec == Spec /\ WF_vars(SyncDone)

\* No put waits for ever: it is synced, or a power loss takes it.
SyncsEnd ==
    \A w \in Writer :
        w \in Range(syncing) \cup Range(waiting)
            ~> w \notin Range(syncing) \cup Range(waiting)

=============================================================================
