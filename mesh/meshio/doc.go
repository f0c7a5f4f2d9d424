// Package meshio writes surfaces and tetrahedral meshes for other programs,
// and reads surfaces back: STL, GLB and VTU.
//
// # Frames and units
//
//   - STL has neither. Coordinates are LPS mm as they are; the 80-byte header
//     says "SPACE=LPS UNIT=mm" (3D Slicer reads the first).
//   - GLB (glTF 2.0, binary) is in metres, +Y up, +Z forward, right-handed.
//     Vertices stay in LPS mm; the matrix of the root node "patient_lps_mm"
//     turns them: X = L/1000, Y = S/1000, Z = A/1000 (L, S, A: towards the
//     patient's left, head, front). Viewers show the patient upright, looking
//     at them, in true size. Colours are given as sRGB and written linear, as
//     glTF wants.
//   - VTU (VTK XML unstructured grid, little endian, base64 inline) is in LPS
//     mm. Tet4 is cell type 10, Tet10 type 24 with the node order of package
//     mesh. The label of each element is the cell field "region". Field names
//     carry their unit, as in "displacement_mm".
//
// Every writer checks its input before the first byte and writes the same
// bytes for the same input. To get whole files or none, use WriteFile.
//
// # Reading
//
// ReadSTL bounds what it reads, checks the triangle count against the length
// before the parser sees a byte, and refuses numbers that are not finite.
//
// The package keeps no state and may be used concurrently. It does not repair
// meshes: see mesh.Surface.Check.
//
// Sources: Khronos glTF 2.0 specification (ISO/IEC 12113:2022); Kitware, VTK
// file formats, "XML file formats"; github.com/hschendel/stl for the STL codec.
package meshio
