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
		example: "halsted serve --data data\n" +
			"halsted send study/ --node 127.0.0.1:11112    # in another terminal\n" +
			"halsted serve --data data --surgeon \"Dr. Ada Weiss\"    # writes her token to data/token-surgeon too: hers alone approves plans",
		flags: func(fs *flag.FlagSet) {
			fs.StringVar(&cfg.data, "data", "data", "folder of catalogue, blobs, token and received files")
			fs.StringVar(&cfg.api, "api", defaultAPI, "host:port of gRPC, gRPC-Web and Connect")
			fs.StringVar(&cfg.dicom, "dicom", pacs.DefaultAddress, "host:port of the DICOM node")
			fs.StringVar(&cfg.aeTitle, "ae", pacs.DefaultAETitle, "AE title of the DICOM node")
			fs.StringVar(&cfg.tokenFile, "token-file", "", "where to write the service's token (default DATA/token); it is a machine's and approves nothing")
			fs.StringVar(&cfg.surgeon, "surgeon", "", "name of the surgeon who may approve plans: a second token, theirs alone, is written to TOKEN-FILE-surgeon (mode 0600)")
			fs.Float64Var(&s.EdgeMM, "edge", 10, "edge of the tetrahedra, mm")
			fs.IntVar(&s.Steps, "steps", 5, "load steps of a simulation")
			fs.Float64Var(&s.Retract, "retract", 30, "prescribed pull on the remnant, mm")
		},
		run: func(ctx context.Context, o output, args []string) (any, error) {
			if len(args) != 0 {
				return nil, usagef("no argument expected, got %q", args)
			}
			if err := surgeonIdentity(cfg.surgeon).Validate(); cfg.surgeon != "" && err != nil {
				return nil, usagef("--surgeon: %s", err)
			}
			cfg.log = slog.New(slog.NewTextHandler(o.log, nil))
			srv, err := startServer(ctx, cfg, &runner{settings: s})
			if err != nil {
				return nil, err
			}
			defer srv.close()
			if o.json { // said at once: the command runs until it is stopped
				said := map[string]string{"api": srv.API.String(), "dicom": srv.DICOM.String(), "token_file": srv.Token}
				if srv.SurgeonToken != "" {
					said["surgeon_token_file"] = srv.SurgeonToken
				}
				err = json.NewEncoder(o.out).Encode(said)
			} else {
				_, err = fmt.Fprintf(o.out, "DICOM node %s on %s\nservice (gRPC, gRPC-Web, Connect) on %s, token in %s\n", cfg.aeTitle, srv.DICOM, srv.API, srv.Token)
				if err == nil && srv.SurgeonToken != "" {
					_, err = fmt.Fprintf(o.out, "token of the surgeon in %s: hand it to them alone\n", srv.SurgeonToken)
				}
			}
			if err != nil {
				return nil, err
			}
			return nil, srv.run(ctx)
		},
	}
}
