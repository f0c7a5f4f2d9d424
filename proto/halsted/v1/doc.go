// Package halstedv1 is the wire of the planning service: messages and gRPC
// services generated from the .proto files beside it (`make proto`).
//
// Every number names its unit, in the field name (_mm, _s, _g) or in a unit
// field beside it (UCUM). Patient space is DICOM LPS. Generated types stop at
// planner/service and viewer/feed; no other room imports them. Changes are
// additive: buf's FILE rules against the last release must hold.
package halstedv1
