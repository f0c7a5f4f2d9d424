// Package pacs is the DICOM node: it takes images from scanners and archives
// (C-STORE), answers C-ECHO, and sends both itself.
//
// # Promise
//
// A data set that was acknowledged with status 0000 lies in the Sink, complete
// and byte-identical to what was received, in the transfer syntax it was
// received in. Nothing is decoded, converted or re-ordered here. A data set
// that was cut off, aborted or refused leaves no visible file.
//
// # Layers
//
// Each file is one layer and knows only those above it in this list:
//
//	uid.go      names: UIDs, AE titles, transfer syntaxes
//	pdu.go      bytes of the association PDUs (PS3.8 section 9.3)
//	command.go  bytes of a command set (PS3.7 section 6.3)
//	part10.go   bytes of the file meta information (PS3.10 section 7.1)
//	keys.go     study and series UID from the head of a data set
//	link.go     one connection: PDUs and fragments in, messages out, deadlines
//	serve.go    acceptor: negotiation and the message loop of one association
//	node.go     Node: listener, limits, Shutdown
//	sink.go     Sink, and what it is told
//	dir.go      Dir: the Sink that writes a folder
//	client.go   requestor: Echo
//	store.go    requestor: Store
//
// # Concurrency
//
// A Node serves each association on its own goroutine; a Sink must bear
// concurrent calls. Shutdown waits for every goroutine the Node started. Dir
// may be shared by many nodes of one process; a folder belongs to one Dir at a
// time. Echo and Store may run concurrently.
//
// # Safe by default
//
// A Node binds 127.0.0.1. Elsewhere it wants TLS with verified client
// certificates, or AllowPlain together with a list of AE titles and addresses.
// An AE title is a name that the peer chose, not an authentication. UIDs from
// the network become file names only after ValidUID. Every length is bounded
// before memory is taken; idle peers, slow senders and endless messages are
// cut off. Log lines carry AE titles, addresses, counts and statuses, never a
// data set's content and never a UID of an instance.
//
// # What it does not do
//
// No query, retrieve, storage commitment or DICOMweb; no transcoding: Store
// offers each file in the transfer syntax it has. One operation at a time per
// association (no asynchronous operations window).
//
// Sources: DICOM PS3.7 (message exchange), PS3.8 (upper layer), PS3.10 (file
// format), PS3.15 Annex B (secure transport).
package pacs
