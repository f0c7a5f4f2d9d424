// Package spatial answers where things are on a mesh: nearest point, along a
// ray, inside or outside, overlapping.
//
// # What it answers
//
// BVH, over the faces of a surface: Closest and Within, Ray, Winding, Inside
// and Signed, InSphere and InBox, and batches of them. Tets, over the elements
// of a tetrahedral mesh: At, the element that holds a point, and InBox.
// Distance and LabelDistance compare surfaces: mean, 95th percentile and
// maximum, for every label both ways.
//
// Answers are exact but for the rounding of float64: the tree only says what
// need not be looked at, from boxes rounded outward. Closest gives the same
// bits as a search through all faces, the lowest index where several are
// equally near. Rays do not slip between faces. Inside follows the winding
// number, exact for closed surfaces and approximate where there are holes; it
// needs neither manifold nor disjoint parts.
//
// # Frame, units, layout
//
// Points are LPS mm, distances mm. A binary tree of 64-byte nodes, each with
// the boxes of its two children in float32, over faces in the order of a Morton
// curve: about 40 bytes a face beside the surface, and as many again while it is
// built, on one core in about 0.2 µs a face. The surface is used, not copied: it
// must not change while the tree is in use. Winding, Inside and Signed prepare
// more at their first call, which may take as long again; a surface that is not
// closed then takes 50 more bytes a face.
//
// # Concurrency
//
// Queries are safe for concurrent use and allocate nothing. Batches run on all
// cores and give the same bits for any GOMAXPROCS. A query far from the surface
// costs more than one close to it, as many faces are almost equally near:
// Within bounds it.
//
// # Bad input
//
// New and the batches name the first point that is not finite or beyond 1e15
// mm (*PointError). Single queries of such a point find nothing: Tri −1, NaN or
// false.
package spatial
