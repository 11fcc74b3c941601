------------------------- MODULE TracePrimaryBackup -------------------------
(***************************************************************************)
(* Which steps of a recorded trace are steps of PrimaryBackup.             *)
(*                                                                         *)
(*  spec                 trace event           Rust                        *)
(*  -------------------  --------------------  --------------------------  *)
(*  AskPrimary(c)        AskPrimary c=c        client c asks the primary   *)
(*  AskBackup(c)         AskBackup c=c         client c asks the backup    *)
(*  GetCopy(n)           GetCopy n=n           the backup gets Copy of     *)
(*                                             number n                    *)
(*  GetConfirm(n)        GetConfirm n=n        the primary gets Confirm(n) *)
(*  TakeOver             TakeOver              the backup chooses to       *)
(*  CrashPrimary         CrashPrimary          the primary crashes         *)
(*  CrashBackup          CrashBackup           the backup crashes          *)
(*                                                                         *)
(*  spec variable        in the trace          Rust                        *)
(*  -------------------  --------------------  --------------------------  *)
(*  primary, backup      records with a mode   states of the two nodes     *)
(*  msgs                 set of records        messages ever sent          *)
(*  asked                function to numbers   requests in the clients'    *)
(*                                             history                     *)
(*  answers              function to sequences answers there               *)
(*  answered             number                the last request of the     *)
(*                                             primary answered there      *)
(*                                                                         *)
(* Nothing is weakened: every event names its action with all arguments,   *)
(* all six variables are logged, and one event is one step.  A message     *)
(* that a node ignores is a stutter and never reaches TraceEvent: a late   *)
(* confirmation, or a copy that finds the backup in charge.                *)
(*                                                                         *)
(* An event is [name |-> action, args |-> record of its arguments].        *)
(***************************************************************************)
EXTENDS PrimaryBackup

NoArguments == {<<>>}

\* The actions a trace may name, each with the set of its argument records.
\* Any other name, and any argument outside its domain, is no step.
TraceArguments ==
    [AskPrimary   |-> [c : PrimaryClient],
     AskBackup    |-> [c : BackupClient],
     GetCopy      |-> [n : Number],
     GetConfirm   |-> [n : Number],
     TakeOver     |-> NoArguments,
     CrashPrimary |-> NoArguments,
     CrashBackup  |-> NoArguments]

IsAskPrimary(e)   == e.name = "AskPrimary"   /\ AskPrimary(e.args.c)
IsAskBackup(e)    == e.name = "AskBackup"    /\ AskBackup(e.args.c)
IsGetCopy(e)      == e.name = "GetCopy"      /\ GetCopy(e.args.n)
IsGetConfirm(e)   == e.name = "GetConfirm"   /\ GetConfirm(e.args.n)
IsTakeOver(e)     == e.name = "TakeOver"     /\ TakeOver
IsCrashPrimary(e) == e.name = "CrashPrimary" /\ CrashPrimary
IsCrashBackup(e)  == e.name = "CrashBackup"  /\ CrashBackup

TraceInit == Init

TraceEvent(e) ==
    /\ e.name \in DOMAIN TraceArguments
    /\ e.args \in TraceArguments[e.name]
    /\ \/ IsAskPrimary(e)
       \/ IsAskBackup(e)
       \/ IsGetCopy(e)
       \/ IsGetConfirm(e)
       \/ IsTakeOver(e)
       \/ IsCrashPrimary(e)
       \/ IsCrashBackup(e)

=============================================================================
