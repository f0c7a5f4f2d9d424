// Package meshio reads and writes meshes in the files of other programs.
//
//	format  extension  holds           forms
//	STL     .stl       triangles       binary, text
//	PLY     .ply       triangles       text, binary of either byte order
//	GLB     .glb       triangles       glTF 2.0, quantised or float32
//	VTU     .vtu       Tet4, Tet10     text, base64, appended; zlib is read
//	gmsh    .msh       Tet4, Tet10     4.1 and 2.2, text and binary
//	Abaqus  .inp       C3D4, C3D10     text; CalculiX reads the same
//	FEBio   .feb       tet4, tet10     4.0 and 3.0; 2.5 is read
//
// ReadSurface, WriteSurface, ReadTetMesh and WriteTetMesh pick the format by
// the extension of the name. WriteGLB writes scenes with colours of one's own.
//
// # Units and frames
//
// Meshes are in LPS mm in memory. A file may be in any unit of length: see Unit.
// The unit is given by the caller, or else by a mark that files of this package
// carry ("UNIT=cm" in a header or comment), or else is mm. None of the formats
// but GLB has a frame: coordinates are LPS as they are.
//
// GLB is in metres, +Y up, +Z forward, right-handed. Vertices stay in LPS mm;
// the matrix of the root node "patient_lps_mm" turns them: X = L/1000,
// Y = S/1000, Z = A/1000 (L, S, A: towards the patient's left, head, front).
// Viewers show the patient upright, looking at them, in true size. Colours are
// given as sRGB and written linear, as glTF wants.
//
// # Labels
//
// PLY keeps the pair of labels of a face as the integer properties inside_label
// and outside_label; GLB has a primitive per pair, with the pair in its extras
// and named "liver" or "liver|tumour_1"; STL keeps none. VTU keeps the label of
// an element as the cell field "region"; gmsh as physical group and entity (256
// for background); Abaqus and FEBio as a set or part named after the label, and
// FEBio also as its domain and material name. How names and tags of other
// programs become labels is told at SurfaceFile.Names.
//
// Element numbers count from 1; readers put elements and nodes in the order of
// their numbers, corner nodes before mid-edge nodes, and leave out nodes of no
// element. The order of the ten nodes is that of package mesh (and of VTK,
// Abaqus and FEBio) except in gmsh files, where the last two are exchanged.
//
// # Exactness
//
// What is written in mm reads back bit by bit from PLY, VTU, gmsh and FEBio, in
// text too (up to 17 digits). STL holds float32. Abaqus numbers may have 20
// characters and no more (the solvers cut off the rest): exact from 0.1 to 1e16,
// within 1e-18 below. GLB positions are rounded to 1/65535 of the longest side
// of the scene (5 µm over 300 mm), or to float32; all structures of a file use
// one lattice, so that what was closed stays closed. Every writer checks its
// input before the first byte, and writes the same bytes for the same input.
//
// # Reading foreign files
//
// Counts in headers are never trusted for memory: what is read takes a few
// times the length of the file, and that is bounded (ReadOptions.MaxBytes), as
// is what packed arrays unpack to. A file that is cut off, or has a number that
// is not finite, an index out of range, elements that are no tetrahedra or
// tetrahedra of mixed order is refused with a *FormatError that names the line
// or byte and the remedy. Two things are let pass, and reported: elements inside
// out (TetFile.Inverted), and, when asked, elements of other types
// (ReadOptions.SkipUnknown); points, lines and faces among the elements of a
// volume mesh are always left out and listed. Nothing is repaired: see
// mesh.Surface.Defects, mesh.Surface.Check and mesh.TetMesh.Check. Nothing
// outside the file is opened: *INCLUDE, from="…" and buffers with a URI are
// refused, as are XML document types.
//
// # Choices
//
// STL: binary files have a codec of their own. github.com/hschendel/stl decodes
// a million faces in 56 ms of CPU time and leaves corners apart; here, joined,
// they take 35 ms (the join is exact, see welder). Its Validate takes seconds and
// panics on NaN. It writes the text form, which it does well; reading text is
// our own, because the library stops at the first endsolid without a word, knows
// only lower case and gathers complaints without bound. Tests hold both against
// each other.
//
// GLB: EXT_meshopt_compression is not used. On the surfaces of a 512×512×300
// label map (1.66 million faces) it makes 8.0 MB of 27.7 MB, plain gzip in
// transport 13.3 MB; but a file that needs it is not opened by Blender, VTK and
// most other programs, and one with a fallback is larger than without.
//
// The package keeps no state and may be used concurrently. Long calls take a
// context and look at it at least every 64 KiB written, every MiB read and
// every 1024 items decoded. Writers stream; for files that appear whole or not
// at all write through internal/atomicfile.
//
// # Sources
//
// STL: 3D Systems, StereoLithography Interface Specification, 1989. PLY: G. Turk,
// The PLY Polygon File Format, 1994. GLB: Khronos, glTF 2.0 (ISO/IEC
// 12113:2022), KHR_mesh_quantization. VTU: Kitware, VTK File Formats, XML. gmsh:
// C. Geuzaine and J.-F. Remacle, Gmsh Reference Manual, MSH file format and node
// ordering. Abaqus: Dassault Systèmes, Abaqus Keywords Guide; G. Dhondt,
// CalculiX CrunchiX User's Manual. FEBio: FEBio User's Manual 4.0, chapter 3.
package meshio
