package meshio

import (
	"encoding/binary"
	"math"
)

// numbers decodes an accessor.
func (g *glbReader) numbers(n int, kind string) ([]float64, error) {
	if n < 0 || n >= len(g.doc.Access) {
		return nil, fail("GLB", "", "there is no accessor %d", n)
	}
	a := &g.doc.Access[n]
	width := map[int]int{gltfByte: 1, gltfUByte: 1, gltfShort: 2, gltfUShort: 2, gltfUInt: 4, gltfFloat: 4}[a.Component]
	items := map[string]int{"SCALAR": 1, "VEC3": 3}[kind]
	switch {
	case a.Type != kind || width == 0 || a.Count < 0:
		return nil, fail("GLB", "", "accessor %d is %d of %s in type %d", n, a.Count, quote(a.Type), a.Component)
	case len(a.Sparse) > 0 || a.View == nil:
		return nil, fail("GLB", remedyGLB, "accessor %d is sparse or empty", n)
	case *a.View < 0 || *a.View >= len(g.doc.Views):
		return nil, fail("GLB", "", "there is no buffer view %d", *a.View)
	}
	v := &g.doc.Views[*a.View]
	if v.Buffer != 0 || len(g.doc.Buffers) == 0 || g.doc.Buffers[0].URI != "" {
		return nil, fail("GLB", remedyGLB, "buffer view %d lies outside the file", *a.View)
	}
	if v.Offset < 0 || v.Length < 0 || v.Offset > len(g.buffer) || v.Length > len(g.buffer)-v.Offset {
		return nil, fail("GLB", remedyWhole, "buffer view %d reaches beyond the %d bytes of the buffer", *a.View, len(g.buffer))
	}
	b := g.buffer[v.Offset : v.Offset+v.Length]
	stride := v.Stride
	if stride == 0 {
		stride = width * items
	}
	if stride < width*items || a.Offset < 0 || a.Offset > len(b) || a.Count > 0 && (a.Count-1 > (len(b)-a.Offset)/stride || (a.Count-1)*stride+width*items > len(b)-a.Offset) {
		return nil, fail("GLB", remedyWhole, "accessor %d reaches beyond its %d bytes", n, len(b))
	}
	if err := g.in.ctx.Err(); err != nil {
		return nil, err
	}
	out := make([]float64, 0, a.Count*items)
	for i := range a.Count {
		from := b[a.Offset+i*stride:]
		for range items {
			out = append(out, component(from, a.Component, a.Normalized))
			from = from[width:]
		}
	}
	return out, nil
}

// component decodes one number; normalised ones are −1 to 1 or 0 to 1.
func component(b []byte, kind int, normalised bool) (x float64) {
	most := 1.0
	switch kind {
	case gltfByte:
		x, most = float64(int8(b[0])), 127
	case gltfUByte:
		x, most = float64(b[0]), 255
	case gltfShort:
		x, most = float64(int16(binary.LittleEndian.Uint16(b))), 32767
	case gltfUShort:
		x, most = float64(binary.LittleEndian.Uint16(b)), 65535
	case gltfUInt:
		x, most = float64(binary.LittleEndian.Uint32(b)), math.MaxUint32
	default:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	}
	if normalised {
		return max(x/most, -1)
	}
	return x
}
