// Package aneurysm plans the repair of an abdominal aortic aneurysm: stress in
// the wall and the size of a graft.
package aneurysm
