--------------------------- MODULE TraceGreeting ----------------------------
(***************************************************************************)
(* Which steps of a recorded trace are steps of Greeting.                  *)
(*                                                                         *)
(*  trace event             in the program                                 *)
(*  ----------------------- --------------                                 *)
(*  Hear g                  a guest gets Welcome                           *)
(*  Meet g                  the host gets Hello                            *)
(*  SayHello g              a guest chooses SayHello                       *)
(*                                                                         *)
(*  spec variable           in the program                                 *)
(*  ----------------------- --------------                                 *)
(*  met                     the state of the host                          *)
(*  welcomed                the states of the guests                       *)
(*  msgs                    what is in flight                              *)
(*                                                                         *)
(* An event is [name |-> action, args |-> record of its arguments].        *)
(***************************************************************************)
EXTENDS Greeting

\* The actions a trace may name, each with the set of its argument records.
\* Any other name, and any argument outside its set, is no step.
TraceArguments ==
    [Hear     |-> [g : Guest],
     Meet     |-> [g : Guest],
     SayHello |-> [g : Guest]]

IsHear(e) == e.name = "Hear" /\ Hear(e.args.g)
IsMeet(e) == e.name = "Meet" /\ Meet(e.args.g)
IsSayHello(e) == e.name = "SayHello" /\ SayHello(e.args.g)

TraceInit == Init

TraceEvent(e) ==
    /\ e.name \in DOMAIN TraceArguments
    /\ e.args \in TraceArguments[e.name]
    /\ \/ IsHear(e)
       \/ IsMeet(e)
       \/ IsSayHello(e)

=============================================================================
