----------------------------- MODULE MCGreeting -----------------------------
(* The bounded model that `spec greeting` explores. *)
EXTENDS Greeting
=============================================================================
