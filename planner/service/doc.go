// Package service offers the planner over gRPC, and over gRPC-Web and Connect
// on the same port.
//
// # Promise
//
// Every call needs the service's token; a call without is refused before its
// message is looked at. What a caller got wrong is an InvalidArgument that
// names the field. Errors carry no patient identity. A panic in a handler ends
// that call alone.
//
// A plan is approved only by a person: who calls is told by the token alone, a
// machine's is refused, and an approval holds for the evaluation that was shown
// (planner.Approved says on each evaluation whether one stands).
//
// WatchFrames loses nothing: it sends what is sealed in the store in order,
// then joins the live bus, and goes back to the store for anything it missed.
// A slow client is held back by HTTP/2 flow control and costs the memory of
// one frame. A client that vanishes ends its handler.
//
// # Units and names
//
// The wire is described in proto/halsted/v1; numbers are in the unit of their
// field's name. Resource names are studies/{study}, cases/{case},
// cases/{case}/plans/{plan}, …/runs/{run} and …/evaluation. Domain and wire
// meet in wire.go alone, errors and codes in errors.go alone.
//
// # Concurrency
//
// A Server is safe for concurrent use. Goroutines of a call end with the call;
// it has no others. Stop it in the order of the example: Close, shut the HTTP
// server down (within a time: a client that does not read holds its call), the
// queue, the store.
//
// # What it does not do
//
// It serves no REST: Connect's JSON needs the header Connect-Protocol-Version: 1,
// which tells it from other JSON. It simulates nothing: CreateRun stores and queues; a jobs.Runner, wired by
// the binary, does the work. It opens no listener.
//
// Sources: google.aip.dev 122 (names), 133, 155 (request ids), 158 (pages),
// 193 (errors); grpc.io health checking protocol.
package service
