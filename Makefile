# Two commands do it all: `make demo` (needs Go alone) and `make test`.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
GO ?= go
TOOLS := staticcheck buf protoc-gen-go protoc-gen-go-grpc
SOURCES := $(shell find . -name '*.go' -not -path './build/*' -not -path './out/*') go.mod go.sum
# Files that are embedded count as sources.
SOURCES += $(shell find planner viewer fem -name '*.json' -o -name '*.html' -o -name '*.css' -o -path '*/fonts/*')

.PHONY: demo test check setup tools proto fmt race fuzz viewer bench-walk bench-mesh bench-fem bench-segment bench-planner verify clean help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

bin/halsted: $(SOURCES)
	CGO_ENABLED=0 $(GO) build -trimpath -o $@ ./cmd/halsted

demo: bin/halsted ## the main job end to end; DICOM=<folder> takes a real series
	bin/halsted demo --out out $(if $(DICOM),--dicom "$(DICOM)") $(DEMOFLAGS)

viewer: bin/halsted-view ## the desktop viewer
bin/halsted-view: $(SOURCES)
	.ci/setup viewer
	$(GO) build -trimpath -o $@ ./cmd/halsted-view

setup: ## system packages that the tests need
	.ci/setup test

tools: $(TOOLS:%=bin/%) ## pinned development tools
$(TOOLS:%=bin/%) &: internal/tools/go.mod internal/tools/go.sum
	cd internal/tools && $(GO) build -o ../../bin/ honnef.co/go/tools/cmd/staticcheck github.com/bufbuild/buf/cmd/buf \
	  google.golang.org/protobuf/cmd/protoc-gen-go google.golang.org/grpc/cmd/protoc-gen-go-grpc
	touch $(TOOLS:%=bin/%)

proto: tools ## regenerate the wire code
	cd proto && ../bin/buf generate

check: setup tools ## format, vet, staticcheck, layers, stale generated code, cross-builds
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); [[ -z $$unformatted ]] || { echo "gofmt: $$unformatted"; exit 1; }
	$(GO) vet ./...
	bin/staticcheck -checks all,-ST1003 ./...
	$(GO) test -count=1 ./internal/layers
	$(GO) mod tidy -diff
	cd proto && ../bin/buf lint
	@rm -rf build/proto && mkdir -p build && cp -r proto build/proto && ln -sfn ../bin build/bin
	cd build/proto && ../bin/buf generate
	@diff -r proto build/proto || { echo "generated code is stale: run make proto"; exit 1; }
	@rm -rf build/proto
	for target in linux/arm64 darwin/arm64; do \
	  echo "cross-build $$target"; \
	  CGO_ENABLED=0 GOOS=$${target%/*} GOARCH=$${target#*/} $(GO) build -trimpath -o build/halsted-$${target/\//-} ./cmd/halsted; done

test: check bin/halsted ## check, then the whole suite with minutes per package
	$(GO) test -count=1 -timeout 20m ./... 2>&1 | awk -f .ci/minutes.awk

verify: bin/halsted ## the whole verification table of the solver, and docs/verification.md from it
	bin/halsted verify --doc docs/verification.md

race: setup ## the concurrent rooms under the race detector
	$(GO) test -race -count=1 ./internal/par ./internal/access ./imaging/pacs ./planner/... ./viewer/feed

fuzz: ## every fuzz target for ten seconds
	@for p in $$($(GO) list ./...); do d=$${p#halsted/}; \
	  for f in $$(grep -hoE '^func Fuzz[A-Za-z0-9_]+' $$d/*_test.go 2>/dev/null | sed 's/func //'); do \
	    echo "$$d $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime 10s ./$$d; done; done

bench-walk: bin/halsted ## the figures of the walk through the house
	$(GO) run ./internal/bench walk

bench-mesh: ## the figures of the meshes, with the peers in the same run; PARTS=<names> for some
	.ci/setup bench || true # a peer that is not there is a row that says so
	$(GO) run ./internal/bench mesh $(PARTS)

bench-fem: bin/halsted ## the figures of the solver, with CalculiX and FEniCS in the same run; PARTS=<names> for some
	.ci/setup bench || true # a peer that is not there is a row that says so
	$(GO) run ./internal/bench fem $(PARTS)

bench-segment: bin/halsted ## the figures of segmentation, vessel trees and territories; PARTS=<names> for some
	$(GO) run ./internal/bench segment $(PARTS)

bench-planner: bin/halsted ## the figures of the planner: search, bounds, coverage, resection, replay; PARTS=<names> for some
	$(GO) run ./internal/bench planner $(PARTS)

clean: ## remove what was built
	rm -rf bin build out
