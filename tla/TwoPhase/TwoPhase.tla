------------------------------ MODULE TwoPhase ------------------------------
(***************************************************************************)
(* Two-phase commit in the formulation of Gray and Lamport: a transaction  *)
(* manager and a set RM of resource managers agree to commit or to abort.  *)
(*                                                                         *)
(* Messages are never consumed.  `msgs` only grows, so that one action     *)
(* reads a message any number of times, late, or never: loss, duplication  *)
(* and reordering need no actions of their own.                            *)
(*                                                                         *)
(* With n = Cardinality(RM) there are 2^n + 4^n + 6^n reachable states,    *)
(* and the longest of the shortest paths to a state has 3n + 2 states.     *)
(***************************************************************************)

CONSTANT RM         \* the resource managers

VARIABLES
    rmState,        \* rmState[r]: what resource manager r has done so far
    tmState,        \* what the transaction manager has decided
    tmPrepared,     \* those the transaction manager knows to be prepared
    msgs            \* every message ever sent

vars == <<rmState, tmState, tmPrepared, msgs>>

Prepared(r) == [type |-> "Prepared", rm |-> r]
Commit      == [type |-> "Commit"]
Abort       == [type |-> "Abort"]

Message == {Prepared(r) : r \in RM} \cup {Commit, Abort}

TypeOK ==
    /\ rmState \in [RM -> {"working", "prepared", "committed", "aborted"}]
    /\ tmState \in {"init", "committed", "aborted"}
    /\ tmPrepared \subseteq RM
    /\ msgs \subseteq Message

Init ==
    /\ rmState = [r \in RM |-> "working"]
    /\ tmState = "init"
    /\ tmPrepared = {}
    /\ msgs = {}

-----------------------------------------------------------------------------
(* The transaction manager. *)

\* It learns that r is prepared.  Learning it again changes nothing, and a
\* manager that has decided no longer listens.
TMRcvPrepared(r) ==
    /\ tmState = "init"
    /\ Prepared(r) \in msgs
    /\ tmPrepared' = tmPrepared \cup {r}
    /\ UNCHANGED <<rmState, tmState, msgs>>

\* It may commit once it knows that every resource manager is prepared.
TMCommit ==
    /\ tmState = "init"
    /\ tmPrepared = RM
    /\ tmState' = "committed"
    /\ msgs' = msgs \cup {Commit}
    /\ UNCHANGED <<rmState, tmPrepared>>

\* It may abort at any time before it has decided.
TMAbort ==
    /\ tmState = "init"
    /\ tmState' = "aborted"
    /\ msgs' = msgs \cup {Abort}
    /\ UNCHANGED <<rmState, tmPrepared>>

-----------------------------------------------------------------------------
(* A resource manager. *)

\* It promises to commit if told so, and gives up its right to abort alone.
RMPrepare(r) ==
    /\ rmState[r] = "working"
    /\ rmState' = [rmState EXCEPT ![r] = "prepared"]
    /\ msgs' = msgs \cup {Prepared(r)}
    /\ UNCHANGED <<tmState, tmPrepared>>

\* Before that promise it may abort on its own.  It need not tell anybody:
\* the transaction manager will never hear that it is prepared.
RMChooseToAbort(r) ==
    /\ rmState[r] = "working"
    /\ rmState' = [rmState EXCEPT ![r] = "aborted"]
    /\ UNCHANGED <<tmState, tmPrepared, msgs>>

\* The two decisions are obeyed in every local state: that they are never
\* both sent, and never to one who has done the opposite, is what Consistent
\* is about, not what the resource manager checks.
RMRcvCommitMsg(r) ==
    /\ Commit \in msgs
    /\ rmState' = [rmState EXCEPT ![r] = "committed"]
    /\ UNCHANGED <<tmState, tmPrepared, msgs>>

RMRcvAbortMsg(r) ==
    /\ Abort \in msgs
    /\ rmState' = [rmState EXCEPT ![r] = "aborted"]
    /\ UNCHANGED <<tmState, tmPrepared, msgs>>

-----------------------------------------------------------------------------

Next ==
    \/ TMCommit
    \/ TMAbort
    \/ \E r \in RM :
        \/ TMRcvPrepared(r)
        \/ RMPrepare(r)
        \/ RMChooseToAbort(r)
        \/ RMRcvCommitMsg(r)
        \/ RMRcvAbortMsg(r)

Spec == Init /\ [][Next]_vars

\* Nobody commits where another aborts.
Consistent ==
    \A r, s \in RM : ~ (rmState[r] = "committed" /\ rmState[s] = "aborted")

-----------------------------------------------------------------------------
(* Behaviours as wholes. *)

\* Something happens as long as something that changes anything can happen.
FairSpec == Spec /\ WF_vars(Next)

\* Nobody is left in doubt for ever.
EverybodyDecides == <>(\A r \in RM : rmState[r] \in {"committed", "aborted"})

\* Who has committed never does anything else.
Irrevocable ==
    [][\A r \in RM : rmState[r] = "committed" => rmState'[r] = "committed"]_vars

=============================================================================
