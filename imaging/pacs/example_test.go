package pacs_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"halsted/imaging/pacs"
)

// A node that keeps what it receives in a folder, and a sender that brings it
// one (very small) object.
func Example() {
	tmp, err := os.MkdirTemp("", "pacs")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(tmp)

	arrived := make(chan pacs.Arrival, 1)
	dir, err := pacs.OpenDir(filepath.Join(tmp, "store"), func(_ context.Context, a pacs.Arrival) { arrived <- a })
	if err != nil {
		log.Fatal(err)
	}
	defer dir.Close()
	node, err := pacs.New(pacs.Config{Address: "127.0.0.1:0"}, dir)
	if err != nil {
		log.Fatal(err)
	}
	ln, err := node.Listen()
	if err != nil {
		log.Fatal(err)
	}
	go node.Serve(ln)

	// A CT object with nothing but its identifiers: class, instance, study and
	// series UID in explicit VR little endian.
	in := pacs.Instance{SOPClassUID: "1.2.840.10008.5.1.4.1.1.2", SOPInstanceUID: "1.2.3.4",
		TransferSyntax: pacs.ExplicitVRLittleEndian}
	object := append(in.Header(),
		"\x08\x00\x16\x00UI\x1a\x001.2.840.10008.5.1.4.1.1.2\x00"+
			"\x08\x00\x18\x00UI\x08\x001.2.3.4\x00"+
			"\x20\x00\x0d\x00UI\x04\x001.2\x00"+
			"\x20\x00\x0e\x00UI\x06\x001.2.3\x00"...)
	file := filepath.Join(tmp, "object.dcm")
	if err := os.WriteFile(file, object, 0o600); err != nil {
		log.Fatal(err)
	}

	ctx := context.Background()
	ae := pacs.AE{Called: pacs.DefaultAETitle, Calling: "SCANNER"}
	results, err := pacs.Store(ctx, ln.Addr().String(), ae, []string{file}, nil)
	if err != nil {
		log.Fatal(err)
	}
	a := <-arrived
	fmt.Printf("status %04X\n", results[0].Status)
	fmt.Printf("%d instance of series %s from %s\n", a.Count(), a.Series[0].SeriesUID, a.CallingAE)

	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	fmt.Println("shut down:", node.Shutdown(ctx))
	// Output:
	// status 0000
	// 1 instance of series 1.2.3 from SCANNER
	// shut down: <nil>
}
