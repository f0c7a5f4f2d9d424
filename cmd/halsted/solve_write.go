package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"halsted/fem"
	"halsted/fem/deck"
	"halsted/internal/atomicfile"
	"halsted/mesh/meshio"
)

func (l *frameResult) print(w io.Writer) {
	fmt.Fprintf(w, "%6d %5d %11.5g %5d %10.2e %14.8g %16.6g %8.3g\n", l.Frame, l.Stage, l.TimeS, l.Newton, l.Residual, l.UMaxMM, l.VonMises*1000, 100*l.ErrorRel)
}

func (r *solveResult) footer(w io.Writer) {
	if n := len(r.Frames); n > 0 {
		fmt.Fprintf(w, "umax %.8g mm at node %d\n", r.UMaxMM, r.Frames[n-1].UMaxNode)
	}
	fmt.Fprintf(w, "%d degrees of freedom, %d Newton and %d linear iterations, read %.2f s, solved %.2f s, memory about %.0f MiB\n",
		r.DOF, r.Newton, r.LinearIterations, r.ReadS, r.SolveS, r.MemoryMiB)
	if r.Artefact != "" {
		fmt.Fprintln(w, r.Artefact)
	}
}

// line runs print where no progress bar is in its way.
func (b *bar) line(print func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.terminal && !b.drawn.IsZero() {
		fmt.Fprint(b.w, "\r\033[K")
	}
	print()
}

// frameFields are the values at the nodes that a frame holds.
func frameFields(f *fem.Frame) []meshio.Field {
	out := []meshio.Field{
		{Name: "displacement_mm", Vectors: f.U},
		{Name: "von_mises_mpa", Scalars: f.VonMisesMPa},
		{Name: "stress_max_mpa", Scalars: f.StressMax},
		{Name: "stress_min_mpa", Scalars: f.StressMin},
		{Name: "strain_max", Scalars: f.StrainMax},
		{Name: "strain_min", Scalars: f.StrainMin},
		{Name: "reaction_n", Vectors: f.ReactionN},
	}
	if f.VelocityMMPerS != nil {
		out = append(out, meshio.Field{Name: "velocity_mm/s", Vectors: f.VelocityMMPerS})
	}
	if f.ErrorMPa != nil {
		out = append(out, meshio.Field{Name: "stress_error_mpa", Scalars: f.ErrorMPa})
	}
	for c, axes := range []string{"xx", "yy", "zz", "xy", "yz", "xz"} {
		if f.Stress == nil {
			break
		}
		v := make([]float64, len(f.Stress))
		for n := range v {
			v[n] = f.Stress[n][c]
		}
		out = append(out, meshio.Field{Name: "stress_" + axes + "_mpa", Scalars: v})
	}
	for _, c := range f.Contacts {
		v := make([]float64, len(f.U))
		for i, n := range c.Nodes {
			v[n] = c.PressureMPa[i]
		}
		out = append(out, meshio.Field{Name: "contact_" + c.Name + "_mpa", Scalars: v})
	}
	return out
}

// write writes the last frame, whole or not at all.
func (j *solveJob) write(ctx context.Context, m *fem.Model, f *fem.Frame, rep *deck.Report, r *solveResult) error {
	name := filepath.Base(j.out)
	write := func(w io.Writer) error {
		return meshio.WriteTetMesh(ctx, w, name, m.Mesh, meshio.WriteOptions{Names: rep.Names, PointFields: frameFields(f)})
	}
	switch strings.ToLower(filepath.Ext(name)) {
	case ".csv":
		write = func(w io.Writer) error { return writeFrameCSV(ctx, w, m, f, rep) }
	case ".json":
		write = func(w io.Writer) error {
			e := json.NewEncoder(w)
			e.SetIndent("", " ")
			return e.Encode(r)
		}
	}
	return writeArtefacts(filepath.Dir(j.out), []atomicfile.File{{Name: name, Write: write}})
}

// writeFrameCSV writes a line per node: its number in the model file, its
// place at rest and what the frame holds.
func writeFrameCSV(ctx context.Context, w io.Writer, m *fem.Model, f *fem.Frame, rep *deck.Report) error {
	b := bufio.NewWriter(w)
	fmt.Fprint(b, "node,x_mm,y_mm,z_mm")
	fields := frameFields(f)
	for _, v := range fields {
		if v.Vectors == nil {
			fmt.Fprint(b, ",", v.Name)
			continue
		}
		quantity, unit, _ := cutLast(v.Name, "_")
		for _, axis := range []string{"x", "y", "z"} {
			fmt.Fprintf(b, ",%s_%s_%s", quantity, axis, unit)
		}
	}
	fmt.Fprintln(b)
	for n, x := range m.Mesh.Nodes {
		if n&1023 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		number := int64(n)
		if rep.NodeNumbers != nil {
			number = rep.NodeNumbers[n]
		}
		fmt.Fprintf(b, "%d,%.10g,%.10g,%.10g", number, x.X, x.Y, x.Z)
		for _, v := range fields {
			if v.Vectors != nil {
				fmt.Fprintf(b, ",%.10g,%.10g,%.10g", v.Vectors[n].X, v.Vectors[n].Y, v.Vectors[n].Z)
			} else {
				fmt.Fprintf(b, ",%.10g", v.Scalars[n])
			}
		}
		fmt.Fprintln(b)
	}
	return b.Flush()
}

// cutLast cuts s around the last sep.
func cutLast(s, sep string) (before, after string, found bool) {
	n := strings.LastIndex(s, sep)
	if n < 0 {
		return s, "", false
	}
	return s[:n], s[n+len(sep):], true
}
