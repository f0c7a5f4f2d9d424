package main

import (
	"context"
	"flag"
	"io"

	"halsted/imaging"
	"halsted/mesh"
	"halsted/mesh/tetra"
)

// tetraMesh is the mesher under test. The second result is its report.
func tetraMesh(ctx context.Context, l *imaging.Labels, z sizes) (*mesh.TetMesh, any, error) {
	m, rep, err := tetra.Mesh(ctx, l, tetra.Options{EdgeMM: z.edgeMM, MaxEdgeMM: z.maxEdgeMM, LabelEdgeMM: z.label, JunctionLevels: z.junction})
	return m, rep, err
}

// trialTets meshes an input and dumps the mesh: BASE DUMP flags.
func trialTets(args []string) (run func() error, done func() (any, error), err error) {
	var z sizes
	fs := flag.NewFlagSet("tets", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	z.flags(fs)
	if err := fs.Parse(args[2:]); err != nil {
		return nil, nil, err
	}
	labels, _, err := load(args[0])
	if err != nil {
		return nil, nil, err
	}
	var m *mesh.TetMesh
	var report any
	run = func() (err error) {
		m, report, err = tetraMesh(context.Background(), labels, z)
		return err
	}
	done = func() (any, error) { return report, writeDump(args[1], m) }
	return run, done, nil
}
