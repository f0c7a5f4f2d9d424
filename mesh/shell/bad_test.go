package shell

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

func TestRefusals(t *testing.T) {
	m := tube(2, 4, 2, 1)
	for what, c := range map[string]struct {
		opt  func(o *Options)
		says string
	}{
		"no lumen label":     {func(o *Options) { o.Lumen = nil }, "Lumen"},
		"absent lumen":       {func(o *Options) { o.Lumen = []imaging.Label{imaging.LabelArtery} }, "separates"},
		"both sides":         {func(o *Options) { o.Tissue = []imaging.Label{lumen} }, "Tissue"},
		"wall is lumen":      {func(o *Options) { o.Wall = lumen }, "Wall"},
		"wall is tissue":     {func(o *Options) { o.Tissue = []imaging.Label{wall} }, "Wall"},
		"wall is background": {func(o *Options) { o.Wall = 0 }, "Wall"},
		"zero":               {func(o *Options) { o.ThicknessMM = 0 }, "positive"},
		"negative":           {func(o *Options) { o.ThicknessMM = -1 }, "positive"},
		"NaN":                {func(o *Options) { o.ThicknessMM = math.NaN() }, "positive"},
		"infinite":           {func(o *Options) { o.ThicknessMM = math.Inf(1) }, "positive"},
		"NaN at a node":      {func(o *Options) { o.ThicknessAt = func(p r3.Vec) float64 { return math.Sqrt(p.X) } }, "node"},
		"layers":             {func(o *Options) { o.Layers = 99 }, "Layers"},
		"side":               {func(o *Options) { o.Into = 7 }, "Into"},
		"bound":              {func(o *Options) { o.MinDihedralDeg = 80 }, "dihedral"},
		"wall bound":         {func(o *Options) { o.WallMinDihedralDeg = math.NaN() }, "dihedral"},
		"not meshed":         {func(o *Options) { o.Tissue = []imaging.Label{0} }, "not meshed"},
		"memory":             {func(o *Options) { o.MemoryLimit = 1000 }, "MB"},
		"negative memory":    {func(o *Options) { o.MemoryLimit = -1 }, "MemoryLimit"},
		"no face":            {func(o *Options) { o.Where = func(r3.Vec) bool { return false } }, "separates"},
		"much too thin":      {func(o *Options) { o.ThicknessMM = 1e-3 }, "too thin"},
		"much too thick":     {func(o *Options) { o.ThicknessMM = 1e3 }, "no room"},
		"absurdly thick":     {func(o *Options) { o.ThicknessMM = 1e300 }, "no room"},
		"absurdly thin":      {func(o *Options) { o.ThicknessMM = 1e-300 }, "too thin"},
	} {
		opt := vessel(0.5)
		c.opt(&opt)
		out, _, err := Grow(t.Context(), m, opt)
		if err == nil || out != nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", what, err)
		}
	}
	var thick *ThicknessError
	opt := vessel(1)
	opt.ThicknessAt = func(p r3.Vec) float64 { return p.X }
	if _, _, err := Grow(t.Context(), m, opt); !errors.As(err, &thick) || thick.AtMM != m.Nodes[thick.Node] || thick.ThicknessMM != thick.AtMM.X {
		t.Errorf("%+v", err)
	}
	var room *NoRoomError
	if _, _, err := Grow(t.Context(), m, vessel(50)); !errors.As(err, &room) || room.Thin || room.Faces != 48 || math.Abs(room.WantedMM-50) > 1e-9 {
		t.Errorf("%+v", err)
	}
	if (Options{}).Validate() == nil || vessel(1).Validate() != nil {
		t.Error("Validate")
	}
}

func TestBrokenMeshes(t *testing.T) {
	for what, spoil := range map[string]func(m *mesh.TetMesh){
		"empty":    func(m *mesh.TetMesh) { *m = mesh.TetMesh{} },
		"NaN":      func(m *mesh.TetMesh) { m.Nodes[3].Y = math.NaN() },
		"index":    func(m *mesh.TetMesh) { m.Tets[5][2] = int32(len(m.Nodes)) },
		"negative": func(m *mesh.TetMesh) { m.Tets[5][2] = -1 },
		"inverted": func(m *mesh.TetMesh) { m.Tets[7][0], m.Tets[7][1] = m.Tets[7][1], m.Tets[7][0] },
		"flat":     func(m *mesh.TetMesh) { m.Tets[7][0] = m.Tets[7][1] },
		"twice":    func(m *mesh.TetMesh) { m.Tets, m.Region = append(m.Tets, m.Tets[4]), append(m.Region, m.Region[4]) },
		"regions":  func(m *mesh.TetMesh) { m.Region = m.Region[1:] },
		"middles":  func(m *mesh.TetMesh) { *m = *m.Quadratic() },
	} {
		m := tube(2, 4, 2, 1)
		spoil(m)
		if _, _, err := Grow(t.Context(), m, vessel(0.5)); err == nil {
			t.Errorf("%s: accepted", what)
		}
		if _, err := Membrane(t.Context(), m, vessel(0.5)); err == nil && what != "middles" {
			t.Errorf("membrane, %s: accepted", what)
		}
	}
}

// countdown is a context that is cancelled when it was asked often enough.
type countdown struct {
	context.Context
	left, late int
}

func (c *countdown) Err() error {
	if c.left--; c.left >= 0 {
		return nil
	}
	c.late++
	return context.Canceled
}

// Wherever the work is cancelled it ends at once.
func TestCancel(t *testing.T) {
	f := fork()
	m := f.around(t, 19, 2.4)
	l := vesselLabels(trunk(), [3]int{40, 36, 30}, [3]float64{1, 1, 1})
	for what, run := range map[string]func(ctx context.Context) error{
		"Grow":     func(ctx context.Context) error { _, _, err := Grow(ctx, m, hollow(f, 1.5)); return err },
		"Membrane": func(ctx context.Context) error { _, err := Membrane(ctx, m, hollow(f, 1.5)); return err },
		"Choose":   func(ctx context.Context) error { _, err := Choose(ctx, l, lumen, 2, 1, nil); return err },
	} {
		all := &countdown{Context: t.Context(), left: math.MaxInt}
		if err := run(all); err != nil {
			t.Fatal(err)
		}
		asked := math.MaxInt - all.left
		if asked < 4 {
			t.Errorf("%s asks only %d times", what, asked)
		}
		for k := 0; k < asked; k += 1 + asked/16 {
			c := &countdown{Context: t.Context(), left: k}
			if err := run(c); !errors.Is(err, context.Canceled) || c.late > 4 {
				t.Errorf("%s cancelled after %d of %d: %v, asked %d times more", what, k, asked, err, c.late)
			}
		}
	}
}
