--------------------------- MODULE TraceDiskStore ---------------------------
(***************************************************************************)
(* Which steps of a recorded trace are steps of DiskStore.                 *)
(*                                                                         *)
(*  spec                 trace event           Rust                        *)
(*  -------------------  --------------------  --------------------------  *)
(*  Put(w)               Put w=w               writer w asks for its put   *)
(*  SyncDone             SyncDone              the store's sync is done    *)
(*  Get                  Get                   the reader asks             *)
(*  PowerLoss            PowerLoss             the store crashes           *)
(*                                                                         *)
(*  spec variable        in the trace          Rust                        *)
(*  -------------------  --------------------  --------------------------  *)
(*  disk                 function from Key     what survives a crash       *)
(*  syncing, waiting     sequences of Writer   the lists of the store's    *)
(*                                             state with these names      *)
(*  asked                sequence of Writer    puts in the clients'        *)
(*                                             history                     *)
(*  acknowledged         set of Writer         puts answered there         *)
(*  answers              sequence of values    answers to gets there       *)
(*                                                                         *)
(* Nothing is weakened: every event names its action with all arguments,   *)
(* all six variables are logged, and one event is one step.  The start     *)
(* after a crash is a stutter: it changes none of them.  So is a crash     *)
(* that finds nothing to take.                                             *)
(*                                                                         *)
(* An event is [name |-> action, args |-> record of its arguments].        *)
(***************************************************************************)
EXTENDS DiskStore

NoArguments == {<<>>}

\* The actions a trace may name, each with the set of its argument records.
\* Any other name, and any argument outside its domain, is no step.
TraceArguments ==
    [Put       |-> [w : Writer],
     SyncDone  |-> NoArguments,
     Get       |-> NoArguments,
     PowerLoss |-> NoArguments]

IsPut(e)       == e.name = "Put"       /\ Put(e.args.w)
IsSyncDone(e)  == e.name = "SyncDone"  /\ SyncDone
IsGet(e)       == e.name = "Get"       /\ Get
IsPowerLoss(e) == e.name = "PowerLoss" /\ PowerLoss

TraceInit == Init

TraceEvent(e) ==
    /\ e.name \in DOMAIN TraceArguments
    /\ e.args \in TraceArguments[e.name]
    /\ \/ IsPut(e)
       \/ IsSyncDone(e)
       \/ IsGet(e)
       \/ IsPowerLoss(e)

=============================================================================
