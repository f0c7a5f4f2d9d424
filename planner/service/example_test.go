package service_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"halsted/internal/access"
	"halsted/planner"
	"halsted/planner/jobs"
	"halsted/planner/service"
	"halsted/planner/store"
	pb "halsted/proto/halsted/v1"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

// How a binary wires store, queue, runner and service, and how it stops.
func Example() {
	if err := example(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output: studies/s1 512×512×120
}

func example(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "service")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	st, err := store.Open(ctx, filepath.Join(dir, "store"))
	if err != nil {
		return err
	}
	defer st.Close()
	work := func(ctx context.Context, j jobs.Job, r jobs.Reporter) error { return nil }
	queue, err := jobs.Open(ctx, st, jobs.RunnerFunc(work), jobs.Config{Workers: 1})
	if err != nil {
		return err
	}
	defer queue.Close()
	tokens, tokenFile := &access.Tokens{}, filepath.Join(dir, "token")
	if err := tokens.Issue(tokenFile, access.Identity{Subject: "operator", Role: access.Surgeon}); err != nil {
		return err
	}
	srv, err := service.New(service.Config{Store: st, Queue: queue, Tokens: tokens, Build: "example"})
	if err != nil {
		return err
	}
	web, err := srv.HTTPServer()
	if err != nil {
		return err
	}
	ln, err := access.Listen("127.0.0.1:0", access.Policy{Authenticated: true})
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- web.Serve(ln) }()
	defer func() {
		srv.Close()       // ends the streams
		web.Shutdown(ctx) // waits for the calls
		srv.GRPC().Stop() // lets go of what is left
		<-served          // then, deferred above: the queue, the store
	}()

	if err := st.PutStudy(ctx, planner.Study{ID: "s1", Size: [3]int{512, 512, 120}}); err != nil {
		return err
	}
	token, err := access.ReadToken(tokenFile)
	if err != nil {
		return err
	}
	conn, err := grpc.NewClient("passthrough:///"+ln.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+token)
	got, err := pb.NewStudyServiceClient(conn).GetStudy(ctx, &pb.GetStudyRequest{Name: "studies/s1"})
	if err != nil {
		return err
	}
	s := got.Study
	fmt.Printf("%s %d×%d×%d\n", s.Name, s.SizeI, s.SizeJ, s.SizeK)
	return nil
}
