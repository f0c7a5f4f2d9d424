package store_test

import (
	"context"
	"fmt"
	"os"

	"halsted/planner/store"
)

func Example() {
	dir, err := os.MkdirTemp("", "store")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	s, err := store.Open(ctx, dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	key, err := s.PutBytes(ctx, []byte("abc"))
	if err != nil {
		fmt.Println(err)
		return
	}
	b, err := s.ReadBlob(ctx, key, 1024)
	fmt.Println(key[:16], len(b), err) // FIPS 180-2, appendix B.1
	// Output: ba7816bf8f01cfea 3 <nil>
}
