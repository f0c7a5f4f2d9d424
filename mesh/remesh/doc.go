// Package remesh makes a surface coarser within a stated distance, keeping it
// manifold and its label borders in place.
//
// # Promise
//
// Decimate removes vertices until a target is met or nothing more can go. In
// its result
//   - no point of either surface is farther than Options.MaxDistMM from the
//     other, and this holds for the faces between each pair of labels apart, so
//     that the borders between labels stay too;
//   - the boundary of every label, and of every union of labels, is connected
//     as before: closed where it was closed, an edge with two faces keeps two,
//     and every sheet keeps its Euler characteristic;
//   - feature lines (where three or more labels meet, where a surface ends,
//     where sheets of one label touch) are thinned along themselves only; their
//     end and meeting points stay, and are moved only where an angle demands it;
//   - faces keep their pair of labels, and none turns by more than 75° from the
//     way it looked;
//   - no angle of a face is under Options.MinAngleDeg, unless every repair would
//     break one of the promises above: Report.SmallAngles counts what is left;
//   - every label with a closed boundary keeps its volume, within about 0.01 %.
//
// What is not promised: two sheets closer than twice the distance may come to
// cross each other, as in every method that looks at one neighbourhood at a
// time. The mesher works from labels, not from decimated surfaces.
//
// # Method
//
// Vertices are moved onto a neighbour in passes (Garland and Heckbert's edge
// collapse with one of the two vertices kept, so that every step is a choice
// among vertices of the input). A pass takes, in order of vertex number, those
// whose cost is under a bound that removes a good half of the vertices, and
// that leave normals, angles and connections sound. The cost is the mean squared
// distance from the planes gathered so far. Afterwards each vertex goes where
// that cost is least, and vertices move along their normals, more where the
// misfit is larger, until every label has its volume again.
//
// The distance is then measured where the difference of two piecewise linear
// surfaces has its extremes: at the vertices of both and where their edges
// cross. Should it exceed the bound somewhere, the passes begin again with
// stricter limits around that place.
//
// # Determinism
//
// The result has the same bits for any GOMAXPROCS. Moving the input by a
// translation that is exact in its numbers gives the same faces; after any other
// rigid motion, rounding may break ties between equal costs another way, and
// the result is another one with the same promises.
//
// # Concurrency, memory
//
// Decimate only reads its input and is safe for concurrent use on it. It needs
// some 270 bytes for each face of a closed surface, refused beyond
// Options.MemoryLimit before any is taken.
//
// # Sources
//
// M. Garland and P. Heckbert, "Surface simplification using quadric error
// metrics", SIGGRAPH 1997, doi:10.1145/258734.258849; passes in place of a
// priority queue as in Sven Forstmann's fast quadric mesh simplification and
// meshoptimizer. T. Dey, H. Edelsbrunner, S. Guha and D. Nekhayev, "Topology
// preserving edge contraction", Publ. Inst. Math. 66, 1999, and F. Vivodtzev,
// G.-P. Bonneau and P. Le Texier, "Topology-preserving simplification of 2D
// nonmanifold meshes with embedded structures", Visual Computer 21, 2005,
// doi:10.1007/s00371-005-0334-6, for what keeps the connections. P. Lindstrom
// and G. Turk, "Fast and memory efficient polygonal simplification",
// Visualization 1998, doi:10.1109/VISUAL.1998.745314, for keeping the volume.
package remesh
