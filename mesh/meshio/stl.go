package meshio

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"halsted/mesh"

	"github.com/hschendel/stl"
	"gonum.org/v1/gonum/spatial/r3"
)

const (
	stlHeaderBytes = 84
	stlFaceBytes   = 50
	stlFaces       = 1310 // to a block of 64 KiB
)

// stlHeader must not begin with "solid", which would mean text to many.
const stlHeader = "halsted SPACE=LPS " + unitMark

// writeSTL writes all faces. STL keeps no labels: write one structure at a time
// (mesh.Surface.Bounding).
func writeSTL(o *output, s *mesh.Surface, opt *WriteOptions) error {
	scale := 1 / opt.Unit.mm(Millimetre)
	if opt.Text {
		return writeSTLText(o, s, scale)
	}
	var header [stlHeaderBytes]byte
	copy(header[:80], stlHeader+opt.Unit.String())
	binary.LittleEndian.PutUint32(header[80:], uint32(len(s.Tris)))
	o.bytes(header[:])
	if o.flush() != nil {
		return o.err
	}
	block := make([]byte, stlFaceBytes*stlFaces)
	for lo := 0; lo < len(s.Tris); lo += stlFaces {
		hi := min(lo+stlFaces, len(s.Tris))
		if scale == 1 {
			packSTL(block, s.Verts, s.Tris[lo:hi])
		} else {
			var p [3]r3.Vec
			for t, v := range s.Tris[lo:hi] {
				for i, n := range v {
					p[i] = r3.Scale(scale, s.Verts[n])
				}
				packSTL(block[stlFaceBytes*t:], p[:], [][3]int32{{0, 1, 2}})
			}
		}
		o.bytes(block[:stlFaceBytes*(hi-lo)])
		if o.flush() != nil {
			return o.err
		}
	}
	return nil
}

// packSTL writes the faces into block: unit normal, three corners, two bytes
// of zero.
func packSTL(block []byte, verts []r3.Vec, tris [][3]int32) {
	for t := range tris {
		v := &tris[t]
		a, b, c := &verts[v[0]], &verts[v[1]], &verts[v[2]]
		ax, ay, az := a.X, a.Y, a.Z
		bx, by, bz := b.X, b.Y, b.Z
		cx, cy, cz := c.X, c.Y, c.Z
		ux, uy, uz := bx-ax, by-ay, bz-az
		vx, vy, vz := cx-ax, cy-ay, cz-az
		nx, ny, nz := uy*vz-uz*vy, uz*vx-ux*vz, ux*vy-uy*vx
		if l := nx*nx + ny*ny + nz*nz; l > 0 {
			l = 1 / math.Sqrt(l)
			nx, ny, nz = nx*l, ny*l, nz*l
		}
		o := (*[stlFaceBytes]byte)(block[stlFaceBytes*t:])
		binary.LittleEndian.PutUint32(o[0:], math.Float32bits(float32(nx)))
		binary.LittleEndian.PutUint32(o[4:], math.Float32bits(float32(ny)))
		binary.LittleEndian.PutUint32(o[8:], math.Float32bits(float32(nz)))
		binary.LittleEndian.PutUint32(o[12:], math.Float32bits(float32(ax)))
		binary.LittleEndian.PutUint32(o[16:], math.Float32bits(float32(ay)))
		binary.LittleEndian.PutUint32(o[20:], math.Float32bits(float32(az)))
		binary.LittleEndian.PutUint32(o[24:], math.Float32bits(float32(bx)))
		binary.LittleEndian.PutUint32(o[28:], math.Float32bits(float32(by)))
		binary.LittleEndian.PutUint32(o[32:], math.Float32bits(float32(bz)))
		binary.LittleEndian.PutUint32(o[36:], math.Float32bits(float32(cx)))
		binary.LittleEndian.PutUint32(o[40:], math.Float32bits(float32(cy)))
		binary.LittleEndian.PutUint32(o[44:], math.Float32bits(float32(cz)))
		o[48], o[49] = 0, 0
	}
}

// writeSTLText leaves the text form to the library.
func writeSTLText(o *output, s *mesh.Surface, scale float64) error {
	solid := stl.Solid{Name: "halsted", IsAscii: true, Triangles: make([]stl.Triangle, len(s.Tris))}
	var p [3]r3.Vec
	var b [stlFaceBytes]byte
	for t, v := range s.Tris {
		for i, n := range v {
			p[i] = r3.Scale(scale, s.Verts[n])
		}
		packSTL(b[:], p[:], [][3]int32{{0, 1, 2}})
		f := &solid.Triangles[t]
		for a := range 3 {
			f.Normal[a] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*a:]))
			for i := range 3 {
				f.Vertices[i][a] = math.Float32frombits(binary.LittleEndian.Uint32(b[12+12*i+4*a:]))
			}
		}
	}
	return solid.WriteAll(outputWriter{o})
}

// outputWriter is an output as an io.Writer.
type outputWriter struct{ o *output }

func (w outputWriter) Write(b []byte) (int, error) {
	w.o.bytes(b)
	return len(b), w.o.err
}

// readSTL reads binary or text STL. Corners with equal coordinates become one
// vertex, numbered by first use; faces with two equal corners have no area and
// are left out.
func readSTL(in *input) (*SurfaceFile, error) {
	if in.size > in.opt.MaxBytes {
		return nil, in.tooLong()
	}
	block := make([]byte, stlHeaderBytes+stlFaceBytes*stlFaces)
	n, err := io.ReadFull(in.r, block)
	whole := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	if err != nil && !whole {
		return nil, fmt.Errorf("meshio: STL: %w", err)
	}
	block = block[:n]
	if looksLikeText(block, whole) {
		in.r = io.MultiReader(bytes.NewReader(block), in.r)
		return readSTLText(in)
	}
	if n < stlHeaderBytes {
		return nil, fail("STL", remedyWhole, "%d bytes are too few for a header, and it is not text", n)
	}
	return readSTLBinary(in, block, whole)
}

// looksLikeText decides between the two forms by the beginning of the file:
// binary headers may begin with "solid" too.
func looksLikeText(b []byte, whole bool) bool {
	if !bytes.EqualFold(b[:min(5, len(b))], []byte("solid")) {
		return false
	}
	if whole && len(b) >= stlHeaderBytes && len(b) == stlHeaderBytes+stlFaceBytes*int(binary.LittleEndian.Uint32(b[80:])) {
		return false
	}
	for _, c := range b {
		if c < '\t' || c > '\r' && c < ' ' {
			return false
		}
	}
	return true
}

// readSTLBinary reads the faces block by block; block is the first, and the
// whole file when whole is set.
func readSTLBinary(in *input, block []byte, whole bool) (*SurfaceFile, error) {
	count := int64(binary.LittleEndian.Uint32(block[80:]))
	want := stlHeaderBytes + stlFaceBytes*count
	have := in.size
	if whole {
		have = int64(len(block))
	}
	switch {
	case have >= 0 && have < want:
		return nil, fail("STL", remedyWhole, "the file is cut off or not STL: %d faces need %d bytes, it has %d", count, want, have)
	case have > want:
		return nil, fail("STL", "cut them off or correct the count at byte 80", "%d bytes follow the last of %d faces", have-want, count)
	case count == 0:
		return nil, fail("STL", "", "the file holds no face")
	case want > in.opt.MaxBytes:
		return nil, in.tooLong()
	}
	guess := int(count) // trusted when the length bears it out
	if have < 0 {
		guess = min(guess, chunk)
	}
	unit := in.opt.Unit
	if unit == 0 {
		unit = markedUnit(string(block[:80]))
	}
	f := in.newSurface(&mesh.Surface{Tris: make([][3]int32, 0, guess)}, unit)
	weld := newWelder(guess)
	faces := block[stlHeaderBytes:]
	buffer := block[:stlFaceBytes*stlFaces]
	for done := int64(0); done < count; {
		if done > 0 {
			if err := in.ctx.Err(); err != nil {
				return nil, err
			}
			faces = buffer[:stlFaceBytes*min(stlFaces, count-done)]
			if _, err := io.ReadFull(in.r, faces); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return nil, fail("STL", remedyWhole, "the file is cut off: %d of %d faces are there", done, count)
			} else if err != nil {
				return nil, fmt.Errorf("meshio: STL: %w", err)
			}
		}
		if int64(len(faces)) > stlFaceBytes*(count-done) {
			faces = faces[:stlFaceBytes*(count-done)]
		}
		var bad int
		f.Surface.Tris, bad = weld.faces(f.Surface.Tris, faces)
		if bad >= 0 {
			return nil, &FormatError{Format: "STL", Offset: stlHeaderBytes + stlFaceBytes*(done+int64(bad)) + 12,
				What: fmt.Sprintf("a corner of face %d is not a finite number", done+int64(bad)), Remedy: remedyNumbers}
		}
		done += int64(len(faces) / stlFaceBytes)
	}
	if have < 0 {
		if n, err := io.ReadFull(in.r, buffer[:1]); n > 0 {
			return nil, fail("STL", "cut them off or correct the count at byte 80", "bytes follow the last of %d faces", count)
		} else if !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("meshio: STL: %w", err)
		}
	}
	f.Surface.Verts, f.Surface.Tris = weld.finish(f.Surface.Tris)
	return finishSoup(in, f, int(count))
}

const remedyNumbers = "mend the program that wrote the file, or remove the face"

// faces appends the faces of a block to tris, joined; bad is the place of a
// face with a number that is not finite, or −1. Faces with equal corners stay.
func (w *welder) faces(tris [][3]int32, block []byte) (out [][3]int32, bad int) {
	a, b := hashA, hashB
	for n := 0; len(block) >= stlFaceBytes; n++ {
		p := (*[36]byte)(block[12:])
		var v [3]int32
		for i := range v {
			xy, z := binary.LittleEndian.Uint64(p[12*i:]), binary.LittleEndian.Uint32(p[12*i+8:])
			h := xy*a + uint64(z)*b
			c := &w.recent[h>>(64-recentBits)]
			if v[i] = c.get(xy, z); v[i] < 0 {
				if v[i] = w.place(xy, z, h, c); v[i] < 0 {
					return tris, n
				}
			}
		}
		tris = append(tris, v)
		block = block[stlFaceBytes:]
	}
	return tris, -1
}

// finishSoup counts faces with equal corners, gives regions and scales.
func finishSoup(in *input, f *SurfaceFile, faces int) (*SurfaceFile, error) {
	s := f.Surface
	kept := len(s.Tris)
	f.Repeated = faces - kept
	if kept == 0 {
		return nil, fail(in.format, "", "all %d faces have equal corners", faces)
	}
	s.Region = make([]mesh.Sides, kept)
	for t := range s.Region {
		s.Region[t].Inside = in.opt.Label
	}
	return scaleSurface(in, f)
}

// scaleSurface turns the file's unit into mm.
func scaleSurface(in *input, f *SurfaceFile) (*SurfaceFile, error) {
	if f.Unit == 0 {
		f.Unit = Millimetre
	}
	u := float64(f.Unit)
	if u == 1 {
		return f, nil
	}
	for n, p := range f.Surface.Verts {
		p = r3.Scale(u, p)
		if !inFloat32(p) {
			return nil, fail(in.format, "check the unit of length", "vertex %d lies at %v mm", n, p)
		}
		f.Surface.Verts[n] = p
	}
	return f, nil
}
