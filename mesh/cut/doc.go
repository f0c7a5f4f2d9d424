// Package cut is the surgeon's hand on a tetrahedral mesh: it cuts by a plane, a
// triangulated surface or a Bézier surface.
package cut
