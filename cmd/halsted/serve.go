package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log/slog"

	"halsted/imaging/pacs"
	"halsted/planner/pipeline"
)

// defaultAPI is where the service listens.
const defaultAPI = "127.0.0.1:8142"

func serveCommand() *command {
	cfg := serverConfig{}
	var s pipeline.Settings
	return &command{
		name: "serve", summary: "Run the DICOM node and the planning service in one process",
		example: "halsted serve --data data\nhalsted send study/ --node 127.0.0.1:11112    # in another terminal",
		flags: func(fs *flag.FlagSet) {
			fs.StringVar(&cfg.data, "data", "data", "folder of catalogue, blobs, token and received files")
			fs.StringVar(&cfg.api, "api", defaultAPI, "host:port of gRPC, gRPC-Web and Connect")
			fs.StringVar(&cfg.dicom, "dicom", pacs.DefaultAddress, "host:port of the DICOM node")
			fs.StringVar(&cfg.aeTitle, "ae", pacs.DefaultAETitle, "AE title of the DICOM node")
			fs.StringVar(&cfg.tokenFile, "token-file", "", "where to write the service's token (default DATA/token)")
			fs.Float64Var(&s.EdgeMM, "edge", 10, "edge of the tetrahedra, mm")
			fs.IntVar(&s.Steps, "steps", 5, "load steps of a simulation")
			fs.Float64Var(&s.Retract, "retract", 30, "prescribed pull on the remnant, mm")
		},
		run: func(ctx context.Context, o output, args []string) (any, error) {
			if len(args) != 0 {
				return nil, usagef("no argument expected, got %q", args)
			}
			cfg.log = slog.New(slog.NewTextHandler(o.log, nil))
			srv, err := startServer(ctx, cfg, &runner{settings: s})
			if err != nil {
				return nil, err
			}
			defer srv.close()
			if o.json { // said at once: the command runs until it is stopped
				err = json.NewEncoder(o.out).Encode(map[string]string{"api": srv.API.String(), "dicom": srv.DICOM.String(), "token_file": srv.Token})
			} else {
				_, err = fmt.Fprintf(o.out, "DICOM node %s on %s\nservice (gRPC, gRPC-Web, Connect) on %s, token in %s\n", cfg.aeTitle, srv.DICOM, srv.API, srv.Token)
			}
			if err != nil {
				return nil, err
			}
			return nil, srv.run(ctx)
		},
	}
}
