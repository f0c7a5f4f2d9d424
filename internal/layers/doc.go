// Package layers holds the module's import rules as a test.
//
// The table in table.go is the "may import" column of docs/architecture.md.
// The test parses every Go file in-process, so that its result is never
// served stale, and fails on an import the table does not allow, on a package
// that is missing from it, and on a third-party module used outside its room.
package layers
