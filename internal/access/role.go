package access

import "slices"

// Role is what someone is here for.
type Role string

// Roles.
const (
	Viewer  Role = "viewer"  // looks at studies, plans and results
	Planner Role = "planner" // prepares plans and runs them
	Surgeon Role = "surgeon" // decides: a planner who may approve
	Archive Role = "archive" // a machine that brings studies
	Admin   Role = "admin"   // runs the system; sees the trail, decides nothing clinical
)

// Action is something that may be allowed.
type Action string

// Actions.
const (
	Read       Action = "read"       // studies, plans, runs, frames
	Import     Action = "import"     // bring a study in
	Edit       Action = "edit"       // create and change cases and plans
	Run        Action = "run"        // start and cancel simulations
	Approve    Action = "approve"    // mark a plan as the chosen one
	Export     Action = "export"     // take artefacts out
	Erase      Action = "erase"      // remove a study
	Audit      Action = "audit"      // read the trail
	Administer Action = "administer" // change settings, stop the service
)

// may lists what each role may do; what is not listed is denied.
var may = map[Role][]Action{
	Viewer:  {Read},
	Planner: {Read, Import, Edit, Run, Export},
	Surgeon: {Read, Import, Edit, Run, Export, Approve},
	Archive: {Import},
	Admin:   {Read, Import, Edit, Run, Export, Erase, Audit, Administer},
}

// May reports whether the role may do a. An unknown role may do nothing.
func (r Role) May(a Action) bool { return slices.Contains(may[r], a) }

// Valid reports whether r is one of the roles above.
func (r Role) Valid() bool { _, ok := may[r]; return ok }
