package main

import (
	"context"
	"flag"
	"fmt"

	"halsted/imaging/pacs"
)

func sendCommand() *command {
	var node, called, calling string
	return &command{
		name: "send", args: "DICOM-FOLDER", summary: "Push a folder of DICOM files to a node (C-STORE)",
		example: "halsted send study/ --node 127.0.0.1:11112 --called HALSTED",
		flags: func(fs *flag.FlagSet) {
			fs.StringVar(&node, "node", pacs.DefaultAddress, "host:port of the node")
			fs.StringVar(&called, "called", pacs.DefaultAETitle, "AE title of the node")
			fs.StringVar(&calling, "calling", "HALSTED-SCU", "our AE title")
		},
		run: func(ctx context.Context, o output, args []string) (any, error) {
			if len(args) != 1 {
				return nil, usagef("want one folder with DICOM files")
			}
			b := newBar(o.log)
			n, err := send(ctx, args[0], node, pacs.AE{Called: called, Calling: calling}, b)
			if err != nil {
				b.abandon()
				return nil, err
			}
			stages := b.finish()
			if !o.json {
				fmt.Fprintf(o.out, "%d files stored at %s\n", n, node)
			}
			return map[string]any{"files": n, "node": node, "stages": stages}, nil
		},
	}
}

// send pushes all DICOM files below folder in one association.
func send(ctx context.Context, folder, node string, ae pacs.AE, b *bar) (int, error) {
	files, err := pacs.Files(folder)
	if err != nil {
		return 0, refusedError{err}
	}
	if len(files) == 0 {
		return 0, refusedError{fmt.Errorf("%s holds no DICOM file (Part 10, with the DICM mark): name the folder of a series", folder)}
	}
	_, err = pacs.Store(ctx, node, ae, files, func(done float64) { b.set("push to the node", done) })
	return len(files), err
}
