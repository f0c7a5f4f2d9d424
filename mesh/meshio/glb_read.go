package meshio

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"halsted/imaging"
	"halsted/mesh"

	"gonum.org/v1/gonum/spatial/r3"
)

// The part of the glTF 2.0 schema that is read.
type (
	gltfFile struct {
		Required []string        `json:"extensionsRequired"`
		Scene    *int            `json:"scene"`
		Scenes   []gltfScene     `json:"scenes"`
		Nodes    []gltfFileNode  `json:"nodes"`
		Meshes   []gltfFileMesh  `json:"meshes"`
		Access   []gltfFileArray `json:"accessors"`
		Views    []gltfView      `json:"bufferViews"`
		Buffers  []struct {
			URI string `json:"uri"`
		} `json:"buffers"`
	}
	gltfFileNode struct {
		Name        string       `json:"name"`
		Matrix      *[16]float64 `json:"matrix"`
		Translation *[3]float64  `json:"translation"`
		Rotation    *[4]float64  `json:"rotation"`
		Scale       *[3]float64  `json:"scale"`
		Children    []int        `json:"children"`
		Mesh        *int         `json:"mesh"`
	}
	gltfFileMesh struct {
		Name       string `json:"name"`
		Primitives []struct {
			Attributes map[string]int             `json:"attributes"`
			Indices    *int                       `json:"indices"`
			Mode       *int                       `json:"mode"`
			Extras     json.RawMessage            `json:"extras"`
			Extensions map[string]json.RawMessage `json:"extensions"`
		} `json:"primitives"`
	}
	gltfFileArray struct {
		View       *int            `json:"bufferView"`
		Offset     int             `json:"byteOffset"`
		Component  int             `json:"componentType"`
		Normalized bool            `json:"normalized"`
		Count      int             `json:"count"`
		Type       string          `json:"type"`
		Sparse     json.RawMessage `json:"sparse"`
	}
)

const remedyGLB = "export as plain GLB without compression or outside files"

// readGLB reads the triangles of the scene, each mesh where its nodes put it,
// from +Y up and metres into LPS mm. Corners at the same place become one
// vertex. Labels come from our own extras, else from the names of the nodes.
func readGLB(in *input) (*SurfaceFile, error) {
	data, err := in.all()
	if err != nil {
		return nil, err
	}
	g := &glbReader{cursor: cursor{in: in, data: data, bin: true}, number: map[r3.Vec]int32{}, keyOf: map[regionKey]int32{}}
	g.f = in.newSurface(&mesh.Surface{}, in.opt.Unit)
	if err := g.container(); err != nil {
		return nil, err
	}
	for _, e := range g.doc.Required {
		if e != quantisation && !slices.Contains([]string{"KHR_materials_unlit", "KHR_texture_transform"}, e) {
			return nil, fail("GLB", remedyGLB, "the file needs the extension %s", quote(e))
		}
	}
	if g.f.Unit == 0 {
		g.f.Unit = Metre
	}
	u := float64(g.f.Unit)
	// column-major: L = X, P = −Z, S = Y
	if err := g.scene([16]float64{u, 0, 0, 0, 0, 0, u, 0, 0, -u, 0, 0, 0, 0, 0, 1}); err != nil {
		return nil, err
	}
	return g.finish()
}

type glbReader struct {
	cursor
	doc    gltfFile
	buffer []byte
	f      *SurfaceFile
	number map[r3.Vec]int32 // of the vertex at each place
	keys   []regionKey
	keyOf  map[regionKey]int32
	key    []int32 // per face, −1 where the file tells both sides
	budget int64   // bytes that meshes used more than once may still take
}

// container takes the two chunks apart.
func (g *glbReader) container() error {
	head, ok := g.take(12)
	if !ok || binary.LittleEndian.Uint32(head) != glbMagic {
		return fail("GLB", "a .gltf file has to be packed as .glb", "the file does not begin as GLB")
	}
	if v := binary.LittleEndian.Uint32(head[4:]); v != 2 {
		return fail("GLB", "export as glTF 2.0", "version %d is not read", v)
	}
	if n := int64(binary.LittleEndian.Uint32(head[8:])); n != int64(len(g.data)) {
		return fail("GLB", remedyWhole, "the file has %d bytes where its header says %d", len(g.data), n)
	}
	var text []byte
	for n := 0; g.pos < len(g.data); n++ {
		head, ok := g.take(8)
		if !ok {
			return g.short("inside a chunk")
		}
		body, ok := g.take(int(binary.LittleEndian.Uint32(head)))
		if !ok {
			return g.short("inside a chunk")
		}
		switch kind := binary.LittleEndian.Uint32(head[4:]); {
		case n == 0 && kind == glbJSON:
			text = body
		case n == 0:
			return g.bad("", "the first chunk is not JSON")
		case kind == glbBIN && g.buffer == nil:
			g.buffer = body
		}
	}
	if err := json.Unmarshal(text, &g.doc); err != nil {
		return fail("GLB", "", "its JSON cannot be read: %v", err)
	}
	g.budget = g.in.opt.MaxBytes
	return nil
}

// scene walks over the nodes of the scene; without one, over those that are
// nobody's children.
func (g *glbReader) scene(world [16]float64) error {
	n := 0
	if g.doc.Scene != nil {
		n = *g.doc.Scene
	}
	var roots []int
	switch {
	case n >= 0 && n < len(g.doc.Scenes):
		roots = g.doc.Scenes[n].Nodes
	case len(g.doc.Scenes) > 0:
		return fail("GLB", "", "there is no scene %d", n)
	default:
		child := map[int]bool{}
		for _, n := range g.doc.Nodes {
			for _, c := range n.Children {
				child[c] = true
			}
		}
		for n := range g.doc.Nodes {
			if !child[n] {
				roots = append(roots, n)
			}
		}
	}
	type visit struct {
		node  int
		world [16]float64
	}
	var stack []visit
	for _, r := range slices.Backward(roots) {
		stack = append(stack, visit{r, world})
	}
	seen := make([]bool, len(g.doc.Nodes))
	for len(stack) > 0 {
		v := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		if v.node < 0 || v.node >= len(seen) || seen[v.node] {
			return fail("GLB", "", "node %d does not exist or has two parents", v.node)
		}
		seen[v.node] = true
		node := &g.doc.Nodes[v.node]
		m := product(v.world, node.local())
		if node.Mesh != nil {
			if err := g.mesh(*node.Mesh, node.Name, m); err != nil {
				return err
			}
		}
		for _, c := range slices.Backward(node.Children) {
			stack = append(stack, visit{c, m})
		}
	}
	return nil
}

// local is the matrix of a node, column-major: given, or T·R·S.
func (n *gltfFileNode) local() [16]float64 {
	if n.Matrix != nil {
		return *n.Matrix
	}
	t, q, s := [3]float64{}, [4]float64{0, 0, 0, 1}, [3]float64{1, 1, 1}
	if n.Translation != nil {
		t = *n.Translation
	}
	if n.Rotation != nil {
		q = *n.Rotation
	}
	if n.Scale != nil {
		s = *n.Scale
	}
	x, y, z, w := q[0], q[1], q[2], q[3]
	return [16]float64{
		s[0] * (1 - 2*(y*y+z*z)), s[0] * 2 * (x*y + z*w), s[0] * 2 * (x*z - y*w), 0,
		s[1] * 2 * (x*y - z*w), s[1] * (1 - 2*(x*x+z*z)), s[1] * 2 * (y*z + x*w), 0,
		s[2] * 2 * (x*z + y*w), s[2] * 2 * (y*z - x*w), s[2] * (1 - 2*(x*x+y*y)), 0,
		t[0], t[1], t[2], 1,
	}
}

func product(a, b [16]float64) (c [16]float64) {
	for col := range 4 {
		for row := range 4 {
			for k := range 4 {
				c[4*col+row] += a[4*k+row] * b[4*col+k]
			}
		}
	}
	return c
}

// mesh adds the triangles of a mesh.
func (g *glbReader) mesh(n int, name string, m [16]float64) error {
	if n < 0 || n >= len(g.doc.Meshes) {
		return fail("GLB", "", "node %s names mesh %d of %d", quote(name), n, len(g.doc.Meshes))
	}
	msh := &g.doc.Meshes[n]
	if name == "" {
		name = msh.Name
	}
	// a reflection turns faces over
	det := m[0]*(m[5]*m[10]-m[9]*m[6]) - m[4]*(m[1]*m[10]-m[9]*m[2]) + m[8]*(m[1]*m[6]-m[5]*m[2])
	for i := range msh.Primitives {
		p := &msh.Primitives[i]
		mode := 4
		if p.Mode != nil {
			mode = *p.Mode
		}
		if mode < 4 || mode > 6 {
			g.skipped(fmt.Sprintf("points or lines (mode %d)", mode), int64(i))
			continue
		}
		for _, e := range []string{"KHR_draco_mesh_compression"} {
			if p.Extensions[e] != nil {
				return fail("GLB", remedyGLB, "mesh %s is packed with %s", quote(name), e)
			}
		}
		at, ok := p.Attributes["POSITION"]
		if !ok {
			continue
		}
		xyz, err := g.numbers(at, "VEC3")
		if err != nil {
			return err
		}
		number := make([]int32, len(xyz)/3)
		for v := range number {
			x, y, z := xyz[3*v], xyz[3*v+1], xyz[3*v+2]
			q := r3.Vec{
				X: m[0]*x + m[4]*y + m[8]*z + m[12] + 0,
				Y: m[1]*x + m[5]*y + m[9]*z + m[13] + 0,
				Z: m[2]*x + m[6]*y + m[10]*z + m[14] + 0,
			}
			if !inFloat32(q) {
				return fail("GLB", remedyNumbers, "vertex %d of mesh %s is at %v mm", v, quote(name), q)
			}
			k, ok := g.number[q]
			if !ok {
				k = int32(len(g.f.Surface.Verts))
				g.number[q] = k
				g.f.Surface.Verts = append(g.f.Surface.Verts, q)
			}
			number[v] = k
		}
		index := number
		if p.Indices != nil {
			list, err := g.numbers(*p.Indices, "SCALAR")
			if err != nil {
				return err
			}
			index = make([]int32, len(list))
			for k, x := range list {
				if !(x >= 0 && x < float64(len(number))) || x != math.Trunc(x) {
					return fail("GLB", "", "mesh %s names vertex %g of %d", quote(name), x, len(number))
				}
				index[k] = number[int(x)]
			}
		}
		if g.budget -= int64(8*len(number) + 4*len(index)); g.budget < 0 {
			return g.in.tooLong()
		}
		side, key := g.sides(p.Extras, name)
		g.triangles(index, mode, det < 0, side, key)
	}
	return nil
}

// skipped counts a primitive that is left out.
func (g *glbReader) skipped(kind string, number int64) {
	b := tetBuilder{skip: g.f.Skipped}
	b.skipped(kind, number)
	g.f.Skipped = b.skip
}

// sides are the labels of a primitive, if it is one of ours, else its key.
func (g *glbReader) sides(extras json.RawMessage, name string) (mesh.Sides, int32) {
	var s gltfSides
	if json.Unmarshal(extras, &s) == nil && s.Inside != nil && s.Outside != nil &&
		*s.Inside >= 0 && *s.Inside < 256 && *s.Outside >= 0 && *s.Outside < 256 {
		return mesh.Sides{Inside: imaging.Label(*s.Inside), Outside: imaging.Label(*s.Outside)}, -1
	}
	k := regionKey{name: name}
	i, ok := g.keyOf[k]
	if !ok {
		i = int32(len(g.keys))
		g.keyOf[k] = i
		g.keys = append(g.keys, k)
	}
	return mesh.Sides{}, i
}

// triangles adds a list (4), strip (5) or fan (6) of triangles.
func (g *glbReader) triangles(index []int32, mode int, turn bool, side mesh.Sides, key int32) {
	s := g.f.Surface
	count := len(index) - 2
	if mode == 4 {
		count = len(index) / 3
	}
	for t := range max(count, 0) {
		var v [3]int32
		switch mode {
		case 4:
			v = [3]int32(index[3*t:])
		case 5:
			v = [3]int32(index[t:])
			if t&1 == 1 {
				v[1], v[2] = v[2], v[1]
			}
		default:
			v = [3]int32{index[0], index[t+1], index[t+2]}
		}
		if turn {
			v[1], v[2] = v[2], v[1]
		}
		if v[0] == v[1] || v[1] == v[2] || v[2] == v[0] {
			g.f.Repeated++
			continue
		}
		s.Tris = append(s.Tris, v)
		s.Region = append(s.Region, side)
		g.key = append(g.key, key)
	}
}

// finish gives labels to the faces that have only a name, and leaves out
// vertices of no face.
func (g *glbReader) finish() (*SurfaceFile, error) {
	s := g.f.Surface
	if len(s.Tris) == 0 {
		return nil, fail("GLB", "export the scene with its meshes", "the scene holds no triangle with area")
	}
	labels, names, err := assignLabels("GLB", g.keys, &g.in.opt)
	if err != nil {
		return nil, err
	}
	g.f.Names = names
	number := make([]int32, len(s.Verts))
	var verts []r3.Vec
	for t := range s.Tris {
		if k := g.key[t]; k >= 0 {
			s.Region[t] = mesh.Sides{Inside: labels[k]}
		}
		for i, n := range s.Tris[t] {
			if number[n] == 0 {
				verts = append(verts, s.Verts[n])
				number[n] = int32(len(verts))
			}
			s.Tris[t][i] = number[n] - 1
		}
	}
	s.Verts = verts
	return g.f, nil
}
