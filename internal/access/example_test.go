package access_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"halsted/internal/access"
)

// A service makes a token at start, recognises the caller by it, asks the
// table and writes the trail.
func Example() {
	dir, err := os.MkdirTemp("", "access")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	var tokens access.Tokens
	file := filepath.Join(dir, "keys", "token")
	if err := tokens.Issue(file, access.Identity{Subject: "local", Role: access.Planner}); err != nil {
		log.Fatal(err)
	}
	secret, err := access.ReadToken(file)
	if err != nil {
		log.Fatal(err)
	}
	id, err := tokens.Authenticate("Bearer " + secret)
	if err != nil {
		log.Fatal(err)
	}
	ctx := access.WithIdentity(context.Background(), id)
	fmt.Println("caller:", id)
	fmt.Println("run:", access.Require(ctx, access.Run))
	fmt.Println("approve:", access.Require(ctx, access.Approve))

	trail, err := access.OpenTrail(filepath.Join(dir, "audit.jsonl"))
	if err != nil {
		log.Fatal(err)
	}
	defer trail.Close()
	for _, o := range []string{"plan-1", "plan-2"} {
		if err := trail.Append(ctx, access.Event{Action: access.Run, Object: o, Outcome: "ok"}); err != nil {
			log.Fatal(err)
		}
	}
	n, _ := trail.Head()
	fmt.Println("entries:", n)
	// Output:
	// caller: planner(redacted)
	// run: <nil>
	// approve: role planner may not approve
	// entries: 2
}
