--------------------------- MODULE TraceTwoPhase ----------------------------
(***************************************************************************)
(* Which steps of a recorded trace are steps of TwoPhase.                  *)
(*                                                                         *)
(*  spec                 trace event           Rust (the step function)    *)
(*  -------------------  --------------------  --------------------------  *)
(*  TMRcvPrepared(r)     TMRcvPrepared rm=r    manager gets Prepared of r  *)
(*  TMCommit             TMCommit              manager chooses to commit   *)
(*  TMAbort              TMAbort               manager chooses to abort    *)
(*  RMPrepare(r)         RMPrepare rm=r        r chooses to prepare        *)
(*  RMChooseToAbort(r)   RMChooseToAbort rm=r  r chooses to abort          *)
(*  RMRcvCommitMsg(r)    RMRcvCommitMsg rm=r   r gets Commit               *)
(*  RMRcvAbortMsg(r)     RMRcvAbortMsg rm=r    r gets Abort                *)
(*                                                                         *)
(*  spec variable        in the trace          Rust                        *)
(*  -------------------  --------------------  --------------------------  *)
(*  rmState              function RM -> name   state of each resource      *)
(*                                             manager                     *)
(*  tmState              name                  state of the manager        *)
(*  tmPrepared           set of RM             prepared ones it knows      *)
(*  msgs                 set of records        messages ever sent          *)
(*                                                                         *)
(* Nothing is weakened: every event names its action with all arguments,   *)
(* all four variables may be logged, and one event is one step.  An event  *)
(* that changes nothing in the spec (a message that is ignored) is a       *)
(* stutter in the trace and never reaches TraceEvent.                      *)
(*                                                                         *)
(* An event is [name |-> action, args |-> record of its arguments].        *)
(***************************************************************************)
EXTENDS TwoPhase

NoArguments == {<<>>}

\* The actions a trace may name, each with the set of its argument records.
\* Any other name, and any argument outside its domain, is no step.
TraceArguments ==
    [TMRcvPrepared   |-> [rm : RM],
     TMCommit        |-> NoArguments,
     TMAbort         |-> NoArguments,
     RMPrepare       |-> [rm : RM],
     RMChooseToAbort |-> [rm : RM],
     RMRcvCommitMsg  |-> [rm : RM],
     RMRcvAbortMsg   |-> [rm : RM]]

IsTMRcvPrepared(e)   == e.name = "TMRcvPrepared"   /\ TMRcvPrepared(e.args.rm)
IsTMCommit(e)        == e.name = "TMCommit"        /\ TMCommit
IsTMAbort(e)         == e.name = "TMAbort"         /\ TMAbort
IsRMPrepare(e)       == e.name = "RMPrepare"       /\ RMPrepare(e.args.rm)
IsRMChooseToAbort(e) == e.name = "RMChooseToAbort" /\ RMChooseToAbort(e.args.rm)
IsRMRcvCommitMsg(e)  == e.name = "RMRcvCommitMsg"  /\ RMRcvCommitMsg(e.args.rm)
IsRMRcvAbortMsg(e)   == e.name = "RMRcvAbortMsg"   /\ RMRcvAbortMsg(e.args.rm)

TraceInit == Init

TraceEvent(e) ==
    /\ e.name \in DOMAIN TraceArguments
    /\ e.args \in TraceArguments[e.name]
    /\ \/ IsTMRcvPrepared(e)
       \/ IsTMCommit(e)
       \/ IsTMAbort(e)
       \/ IsRMPrepare(e)
       \/ IsRMChooseToAbort(e)
       \/ IsRMRcvCommitMsg(e)
       \/ IsRMRcvAbortMsg(e)

=============================================================================
