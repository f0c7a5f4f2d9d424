package main

import (
	"bytes"
	"context"
	"fmt"

	"halsted/imaging"
	"halsted/mesh"
	"halsted/planner"
	"halsted/viewer/raster"
	"halsted/viewer/scene"
)

const pictureWidth, pictureHeight = 1280, 960

// anatomyScene shows the organ with its vessels and tumours inside.
func anatomyScene(s *mesh.Surface, tumours int) (*scene.Scene, error) {
	sc := scene.New()
	sc.Title = "Liver with tumours and vessels"
	present := map[imaging.Label]bool{}
	for _, r := range s.Region {
		present[r.Inside], present[r.Outside] = true, true
	}
	labels := []imaging.Label{imaging.LabelPortalVein, imaging.LabelHepaticVein, imaging.LabelVessel}
	for t := range tumours {
		labels = append(labels, imaging.LabelTumour+imaging.Label(t))
	}
	for _, l := range labels {
		if present[l] {
			if _, err := sc.AddRegion(l.String(), l, s, func(o imaging.Label) bool { return o == l }); err != nil {
				return nil, err
			}
		}
	}
	if _, err := sc.AddRegion("liver", imaging.LabelLiver, s, imaging.Label.InOrgan); err != nil {
		return nil, err
	}
	sc.Show(scene.Anterior, pictureWidth/float64(pictureHeight))
	return sc, nil
}

// stateScene is a converged state without a wire in between.
func stateScene(t *planner.Topology, f *planner.DisplayFrame) (*scene.Scene, error) {
	sc := scene.New()
	for _, s := range t.Structures {
		tris := make([][3]int32, len(s.Tris))
		for n, tri := range s.Tris {
			tris[n] = [3]int32{tri[0] - s.First, tri[1] - s.First, tri[2] - s.First}
		}
		if _, err := sc.AddStructure(s.Name, s.Label, t.Rest[s.First:s.First+s.Count], tris); err != nil {
			return nil, err
		}
	}
	sf := &scene.Frame{Epoch: f.Epoch, Seq: f.Seq, TimeS: f.SimTimeS, Pos: f.Pos}
	for _, fd := range f.Fields {
		sf.Fields = append(sf.Fields, scene.Field{ID: fd.ID, Unit: fd.Unit, Values: fd.Values, Quality: fieldQuality(fd.Quality)})
	}
	return sc, sc.AppendFrame(sf)
}

// fieldQuality is what the legend tells of a field.
func fieldQuality(q *planner.FieldQuality) *scene.Quality {
	if q == nil {
		return &scene.Quality{}
	}
	return &scene.Quality{Residual: &q.Residual, Error: q.Error, Evidence: q.Evidence.String()}
}

// dress shows a field on the remnant.
func dress(sc *scene.Scene, field, title string, caption ...string) {
	sc.Title, sc.Caption = title, caption
	sc.Status = ""
	sc.ColourBy(field)
	sc.Show(scene.Anterior, pictureWidth/float64(pictureHeight))
}

// pictureOf renders a scene to PNG, with what it shows and the notice inside.
func pictureOf(ctx context.Context, sc *scene.Scene, source string) ([]byte, error) {
	sc.Notice = planner.Notice
	img, err := raster.Render(ctx, sc, raster.Options{Width: pictureWidth, Height: pictureHeight})
	if err != nil {
		return nil, fmt.Errorf("picture: %w", err)
	}
	var b bytes.Buffer
	err = raster.EncodePNG(&b, img, [][2]string{{"Source", source}, {"Comment", planner.Notice}})
	return b.Bytes(), err
}
