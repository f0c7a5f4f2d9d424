package main

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"halsted/imaging"
	"halsted/imaging/nifti"

	"gonum.org/v1/gonum/spatial/r3"
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

// made are the inputs taken from packages of Debian.
var made = map[string]func() (*imaging.Labels, error){"aal6": aal6, "cranium": cranium}

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
	if v, ok := volumes[name]; ok {
		s := newScene(v.size, v.spacing)
		if err := s.write(base + ".json"); err != nil {
			return "", err
		}
		return base, writeRaw(base+".raw", s.paint())
	}
	if made[name] == nil {
		return "", fmt.Errorf("no input %q", name)
	}
	l, err := made[name]()
	if err != nil {
		return "", err
	}
	if err := (&scene{Dims: l.Grid.Size, Sp: l.Grid.SpacingMM()}).write(base + ".json"); err != nil {
		return "", err
	}
	return base, writeRaw(base+".raw", l)
}

// aal6 is the AAL atlas of the brain, its regions lumped to six labels.
func aal6() (*imaging.Labels, error) {
	const path = "/usr/share/mricron/templates/aal.nii.gz"
	if !exists(path) {
		return nil, &missingError{"install mricron-data"}
	}
	img, err := nifti.ReadFile(path)
	if err != nil {
		return nil, err
	}
	l := &imaging.Labels{Grid: imaging.NewGrid(img.Grid.Size, r3.Vec{}, img.Grid.SpacingMM()), ID: make([]imaging.Label, img.Grid.Len())}
	last := []float64{28, 42, 70, 78, 90, 200} // regions up to this number
	for n := range l.ID {
		v := img.Value(n)
		if at, _ := slices.BinarySearch(last, v); v >= 1 && at < len(last) {
			l.ID[n] = imaging.Label(at + 1)
		}
	}
	return l, nil
}

// cranium is a CT of a head by thresholds: soft tissue, bone, dense bone and
// metal. InVesalius stores the volume as 16-bit numbers.
func cranium() (*imaging.Labels, error) {
	const path = "/usr/share/doc/invesalius-examples/examples/Cranium.inv3"
	if !exists(path) {
		return nil, &missingError{"install invesalius-examples"}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var in io.Reader = bufio.NewReader(f)
	if z, err := gzip.NewReader(in); err == nil {
		in = z
	} else if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	} else {
		in = f
	}
	archive := tar.NewReader(in)
	for {
		h, err := archive.Next()
		if err != nil {
			return nil, fmt.Errorf("%s: no matrix.dat: %w", path, err)
		}
		if filepath.Base(h.Name) == "matrix.dat" {
			break
		}
	}
	l := &imaging.Labels{Grid: imaging.NewGrid([3]int{256, 256, 108}, r3.Vec{}, [3]float64{.957, .957, 1.5})}
	l.ID = make([]imaging.Label, l.Grid.Len())
	row := make([]byte, 2*l.Grid.Size[0])
	for n := range l.ID {
		at := n % l.Grid.Size[0]
		if at == 0 {
			if _, err := io.ReadFull(archive, row); err != nil {
				return nil, fmt.Errorf("%s: matrix.dat: %w", path, err)
			}
		}
		switch hu := int16(binary.LittleEndian.Uint16(row[2*at:])); {
		case hu >= 1200:
			l.ID[n] = 3
		case hu >= 226:
			l.ID[n] = 2
		case hu > -300:
			l.ID[n] = 1
		}
	}
	return l, nil
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
