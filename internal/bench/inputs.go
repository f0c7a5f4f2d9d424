package main

import (
	"fmt"
	"os"
	"path/filepath"

	"halsted/imaging"
)

// inputDir keeps the inputs between runs; git ignores it.
var inputDir = filepath.Join("build", "bench")

// volumes are the synthetic inputs.
var volumes = map[string]struct {
	size    [3]int
	spacing [3]float64
}{
	"s128": {[3]int{128, 128, 128}, [3]float64{1.4, 1.4, 1.4}},
	"s256": {[3]int{256, 256, 256}, [3]float64{.7, .7, .7}},
	"s512": {[3]int{512, 512, 300}, [3]float64{.7, .7, 1}},
}

// missingError says that an input or a peer is not on this machine.
type missingError struct{ remedy string }

func (e *missingError) Error() string { return e.remedy }

// input makes sure that NAME.raw and NAME.json are there and returns their path
// without ending.
func input(name string) (string, error) {
	base := filepath.Join(inputDir, name)
	if exists(base+".raw") && exists(base+".json") {
		return base, nil
	}
	if err := os.MkdirAll(inputDir, 0o755); err != nil {
		return "", err
	}
	v, ok := volumes[name]
	if !ok {
		return "", fmt.Errorf("no input %q", name)
	}
	s := newScene(v.size, v.spacing)
	if err := writeRaw(base+".raw", s.paint()); err != nil {
		return "", err
	}
	return base, s.write(base + ".json")
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// load reads an input that input has made.
func load(base string) (*imaging.Labels, *scene, error) {
	s, err := readScene(base + ".json")
	if err != nil {
		return nil, nil, err
	}
	l, err := readLabels(base+".raw", s.grid())
	return l, s, err
}

// writeRaw writes one byte per voxel; the file appears whole.
func writeRaw(path string, l *imaging.Labels) error {
	b := make([]byte, len(l.ID))
	for n, id := range l.ID {
		b[n] = byte(id)
	}
	if err := os.WriteFile(path+".tmp", b, 0o644); err != nil {
		return err
	}
	return os.Rename(path+".tmp", path)
}
