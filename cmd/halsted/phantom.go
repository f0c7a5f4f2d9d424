package main

import (
	"context"
	"flag"
	"fmt"

	"halsted/imaging/phantom"
)

func phantomCommand() *command {
	var seed uint64
	return &command{
		name: "phantom", args: "FOLDER", summary: "Write the synthetic sample patient as a DICOM series",
		example: "halsted phantom sample/ --patient 7",
		flags: func(fs *flag.FlagSet) {
			fs.Uint64Var(&seed, "patient", 1, "which anatomy of the family")
		},
		run: func(ctx context.Context, o output, args []string) (any, error) {
			if len(args) != 1 {
				return nil, usagef("want one folder to write into")
			}
			b := newBar(o.log)
			p, err := writePhantom(ctx, args[0], seed, b)
			if err != nil {
				b.abandon()
				return nil, err
			}
			stages := b.finish()
			if !o.json {
				fmt.Fprintf(o.out, "Sample patient %d written to %s\n", seed, args[0])
			}
			return map[string]any{"patient": seed, "folder": args[0], "seeds": p.Seeds(), "stages": stages}, nil
		},
	}
}

// writePhantom makes a sample patient and writes its CT series into folder.
func writePhantom(ctx context.Context, folder string, seed uint64, b *bar) (*phantom.Liver, error) {
	b.set("make sample patient", 0)
	p := phantom.NewLiver(seed)
	v, err := p.Volume(ctx, p.Grid(), func(done float64) { b.set("make sample patient", 0.8*done) })
	if err != nil {
		return nil, err
	}
	if err := phantom.WriteSeries(ctx, folder, v, p.SeriesID()); err != nil {
		return nil, err
	}
	b.set("make sample patient", 1)
	return p, nil
}
