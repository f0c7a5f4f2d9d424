package layers

// anything marks the binaries, which wire all rooms together.
const anything = "*"

// mayImport lists, for each package of the module (path below the module
// root), the packages of the module it may import in code and tests alike;
// tests may import more through testMayImport.
var mayImport = map[string][]string{
	"imaging":           {},
	"imaging/dicomfile": {},
	"imaging/nifti":     {"imaging", "internal/atomicfile"},
	"imaging/nrrd":      {"imaging", "internal/atomicfile"},
	"imaging/distance":  {"imaging", "internal/par"},
	"imaging/series":    {"imaging", "imaging/dicomfile", "internal/par"},
	"imaging/pacs":      {"imaging/dicomfile"},
	"imaging/filter":    {"imaging", "imaging/distance", "internal/par", "internal/sparse"},
	"imaging/segment":   {"imaging", "imaging/distance", "imaging/filter", "internal/par", "internal/sparse"},
	"imaging/register":  {"imaging", "imaging/filter", "internal/par"},
	"imaging/phantom":   {"imaging", "imaging/dicomfile", "internal/par"},

	"mesh":         {"imaging", "internal/par"},
	"mesh/contour": {"imaging", "mesh", "internal/par"},
	"mesh/spatial": {"mesh", "internal/par"},
	"mesh/remesh":  {"imaging", "mesh", "mesh/spatial", "internal/par"},
	"mesh/tetra":   {"imaging", "imaging/distance", "mesh", "mesh/contour", "mesh/spatial", "internal/par"},
	"mesh/cut":     {"imaging", "mesh", "mesh/spatial", "mesh/tetra", "internal/par"},
	"mesh/shell":   {"imaging", "imaging/distance", "mesh", "mesh/tetra", "internal/par"},
	"mesh/meshio":  {"imaging", "mesh"},
	"mesh/vessel":  {"imaging", "imaging/distance", "imaging/filter", "mesh", "mesh/spatial", "internal/sparse", "internal/par"},

	"fem/element":  {},
	"fem/material": {},
	"fem":          {"imaging", "mesh", "fem/element", "fem/material", "internal/sparse", "internal/dense", "internal/par"},

	"fem/deck":    {"imaging", "mesh", "mesh/meshio", "fem", "fem/material", "internal/par"},
	"fem/inverse": {"imaging", "mesh", "fem", "fem/element", "fem/material", "internal/par", "internal/sparse"},
	"fem/verify":  {"imaging", "mesh", "mesh/meshio", "mesh/spatial", "fem", "fem/element", "fem/material", "fem/inverse", "internal/par"},

	"planner":             {"imaging", "mesh", "fem"},
	"planner/rules":       {"planner"},
	"planner/uncertainty": {"planner", "imaging", "imaging/distance", "imaging/filter", "fem", "internal/par"},
	"planner/liver":       {"planner", "planner/rules", "planner/uncertainty", "imaging", "imaging/distance", "imaging/filter", "mesh", "mesh/spatial", "mesh/tetra", "mesh/vessel", "fem", "fem/material", "internal/par"},
	"planner/needle":      {"planner", "planner/rules", "planner/uncertainty", "imaging", "imaging/distance", "mesh", "mesh/spatial", "mesh/tetra", "fem", "fem/material", "internal/par"},
	"planner/aneurysm":    {"planner", "planner/rules", "planner/uncertainty", "imaging", "imaging/distance", "imaging/filter", "mesh", "mesh/vessel", "fem", "fem/inverse", "fem/material", "internal/par"},
	"planner/bundle":      {"planner", "planner/uncertainty", "internal/atomicfile"},
	"planner/rank":        {"planner"},
	"planner/store":       {"planner", "imaging", "internal/access"},
	"planner/jobs":        {"planner", "planner/store"},
	"planner/report":      {"planner", "imaging/dicomfile"},
	"planner/pipeline":    {"planner", "planner/liver", "planner/needle", "planner/aneurysm", "planner/uncertainty", "planner/rules", "planner/rank", "imaging", "imaging/series", "imaging/segment", "mesh", "mesh/contour", "mesh/tetra", "fem", "fem/material", "internal/par"},
	"planner/service":     {"proto/halsted/v1", "proto/frame", "planner", "planner/store", "planner/jobs", "imaging", "internal/access"},

	"proto/halsted/v1": {},
	"proto/frame":      {},

	"viewer/scene":  {"imaging", "mesh"},
	"viewer/raster": {"viewer/scene", "internal/par"},
	"viewer/feed":   {"proto/halsted/v1", "proto/frame", "viewer/scene", "imaging"},
	"viewer/window": {"viewer/scene", "viewer/raster"},

	"cmd/halsted":      {anything},
	"cmd/halsted-view": {"internal/atomicfile", "viewer/scene", "viewer/raster", "viewer/feed", "viewer/window", "internal/access"},

	"internal/sparse":     {"internal/par", "internal/dense"},
	"internal/dense":      {"internal/par"},
	"internal/par":        {},
	"internal/access":     {},
	"internal/layers":     {},
	"internal/bench":      {anything},
	"internal/atomicfile": {},
}

// testMayImport lists what tests of a package may import beyond mayImport:
// data makers and readers for end-to-end checks. The product's arrow is not
// touched by it.
var testMayImport = map[string][]string{
	"imaging/series":   {"imaging/phantom", "imaging/nifti"},
	"imaging/segment":  {"imaging/phantom", "imaging/series", "imaging/nifti", "imaging/dicomfile"},
	"imaging/pacs":     {"imaging/phantom"},
	"imaging/phantom":  {"imaging/series"},
	"imaging/nifti":    {"imaging/series"},
	"mesh":             {"imaging/nifti", "imaging/distance", "imaging/phantom", "mesh/tetra", "mesh/contour"},
	"mesh/contour":     {"imaging/nifti", "imaging/phantom"},
	"mesh/tetra":       {"imaging/nifti", "imaging/phantom", "mesh/contour"},
	"mesh/spatial":     {"imaging", "imaging/nifti", "imaging/phantom", "mesh/contour", "mesh/tetra"},
	"mesh/remesh":      {"imaging/nifti", "imaging/phantom", "mesh/contour"},
	"mesh/cut":         {"imaging/phantom", "mesh/contour"},
	"mesh/shell":       {"imaging/phantom", "mesh/contour", "mesh/spatial"},
	"mesh/vessel":      {"imaging/nifti", "imaging/phantom", "imaging/segment", "mesh/contour"},
	"imaging/register": {"imaging/phantom", "imaging/nifti", "imaging/series"},
	"mesh/meshio":      {"mesh/tetra", "mesh/contour", "imaging/distance"},
	"fem":              {"mesh/tetra"},
	// the intervals of the procedures themselves are held against patients whose truth is a formula
	"planner/uncertainty": {"planner/liver", "planner/needle"},
	"planner/liver":       {"imaging/phantom", "imaging/segment", "imaging/nifti", "mesh/contour", "mesh/tetra"},
	"planner/needle":      {"imaging/phantom", "imaging/segment", "imaging/nifti"},
	"planner/aneurysm":    {"imaging/phantom", "imaging/segment", "imaging/nifti"},
	"planner/pipeline":    {"imaging/phantom", "planner/bundle"},
	"planner/service":     {"viewer/feed", "viewer/scene"},
	"viewer/scene":        {"imaging/phantom"},
	"viewer/raster":       {"imaging", "imaging/phantom", "mesh/contour"},
	"viewer/window":       {"imaging", "imaging/phantom", "mesh/contour"},
	"viewer/feed":         {"planner/service", "planner/store", "planner/jobs", "planner", "internal/access"},
	"cmd/halsted-view":    {"planner/service", "planner/store", "planner/jobs", "planner", "proto/halsted/v1", "proto/frame", "imaging"},
}

// owners lists the packages that may use a third-party module; the standard
// library and gonum are open to all.
var owners = map[string][]string{
	"github.com/suyashkumar/dicom":  {"imaging/dicomfile"},
	"github.com/hschendel/stl":      {"mesh/meshio"},
	"github.com/qmuntal/gltf":       {"mesh/meshio"},
	"github.com/g3n/engine":         {"viewer/window"},
	"github.com/go-gl/glfw":         {"viewer/window"},
	"modernc.org/sqlite":            {"planner/store", "planner/jobs"},
	"github.com/klauspost/compress": {"proto/frame", "planner/store"},
	"google.golang.org/protobuf":    {"proto/halsted/v1", "planner/service", "viewer/feed", "cmd/halsted", "cmd/halsted-view"},
	"google.golang.org/grpc":        {"proto/halsted/v1", "planner/service", "viewer/feed", "cmd/halsted", "cmd/halsted-view"},
	"google.golang.org/genproto":    {"planner/service"},
	"connectrpc.com/vanguard":       {"planner/service"},
	"connectrpc.com/connect":        {"planner/service"},
	"golang.org/x/net":              {"planner/service"},
	"golang.org/x/image":            {"viewer/raster", "viewer/window", "planner/report"},
	"golang.org/x/text":             {"planner/report"},
	"codeberg.org/go-pdf/fpdf":      {"planner/report"},
	"github.com/go-fonts/dejavu":    {"planner/report"},
	"gonum.org/v1/gonum":            {anything},
}
