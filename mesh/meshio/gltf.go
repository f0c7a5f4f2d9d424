package meshio

// The part of the glTF 2.0 schema that is written; names are those of the
// specification.
type (
	gltfRoot struct {
		Asset       gltfAsset      `json:"asset"`
		Used        []string       `json:"extensionsUsed,omitempty"`
		Required    []string       `json:"extensionsRequired,omitempty"`
		Scene       int            `json:"scene"`
		Scenes      []gltfScene    `json:"scenes"`
		Nodes       []gltfNode     `json:"nodes"`
		Meshes      []gltfMesh     `json:"meshes"`
		Materials   []gltfMaterial `json:"materials"`
		Accessors   []gltfAccessor `json:"accessors"`
		BufferViews []gltfView     `json:"bufferViews"`
		Buffers     []gltfBuffer   `json:"buffers"`
	}
	gltfAsset struct {
		Version   string `json:"version"`
		Generator string `json:"generator"`
	}
	gltfScene struct {
		Nodes []int `json:"nodes"`
	}
	gltfNode struct {
		Name        string       `json:"name"`
		Matrix      *[16]float64 `json:"matrix,omitempty"`
		Translation *[3]float64  `json:"translation,omitempty"`
		Scale       *[3]float64  `json:"scale,omitempty"`
		Children    []int        `json:"children,omitempty"`
		Mesh        *int         `json:"mesh,omitempty"`
	}
	gltfMesh struct {
		Name       string          `json:"name"`
		Primitives []gltfPrimitive `json:"primitives"`
	}
	gltfPrimitive struct {
		Attributes map[string]int `json:"attributes"` // encoding/json sorts the keys
		Indices    int            `json:"indices"`
		Material   int            `json:"material"`
		Extras     *gltfSides     `json:"extras,omitempty"`
	}
	// gltfSides keeps the labels of a primitive's faces.
	gltfSides struct {
		Inside  *int `json:"inside_label"`
		Outside *int `json:"outside_label"`
	}
	gltfMaterial struct {
		Name      string  `json:"name"`
		PBR       gltfPBR `json:"pbrMetallicRoughness"`
		AlphaMode string  `json:"alphaMode"`
	}
	gltfPBR struct {
		BaseColor [4]float64 `json:"baseColorFactor"`
		Metallic  float64    `json:"metallicFactor"`
		Roughness float64    `json:"roughnessFactor"`
	}
	gltfAccessor struct {
		View       int       `json:"bufferView"`
		Component  int       `json:"componentType"`
		Normalized bool      `json:"normalized,omitempty"`
		Count      int       `json:"count"`
		Type       string    `json:"type"`
		Min        []float64 `json:"min,omitempty"`
		Max        []float64 `json:"max,omitempty"`
	}
	gltfView struct {
		Buffer int `json:"buffer"`
		Offset int `json:"byteOffset"`
		Length int `json:"byteLength"`
		Stride int `json:"byteStride,omitempty"`
		Target int `json:"target"`
	}
	gltfBuffer struct {
		Length int `json:"byteLength"`
	}
)

// Constants of the specification (componentType, target, chunk types).
const (
	gltfByte, gltfUByte, gltfShort, gltfUShort, gltfUInt, gltfFloat = 5120, 5121, 5122, 5123, 5125, 5126
	gltfArray, gltfElements                                         = 34962, 34963
	glbMagic, glbJSON, glbBIN                                       = 0x46546C67, 0x4E4F534A, 0x004E4942
)

const quantisation = "KHR_mesh_quantization"
