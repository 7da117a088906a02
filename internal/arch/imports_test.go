package arch

import (
	"fmt"
	"path"
	"strings"
	"testing"
)

// row says what the packages of a pattern may import of this module, besides what every package may.
type row struct {
	packages string // pattern of folders: "subsystem/*/*"; the first row that matches counts
	may      string // patterns, separated by spaces
}

const (
	foundation = "access secret fault value effect schema event"
	services   = "subsystem/security/account subsystem/security/vault subsystem/io/storage subsystem/io/nkv subsystem/io/router subsystem/io/cli subsystem/memory/cache subsystem/llm/models subsystem/llm/llm subsystem/agent/agentdata subsystem/agent/catalog subsystem/observe/logsink"
	below      = foundation + " connector " + services + " scope component internal/limits internal/disk internal/egress internal/template internal/infer internal/jsonfix internal/binary internal/smythfs internal/kernel internal/agentfile internal/workflow internal/engine internal/agent internal/openapi"
)

// table is the import table of docs/design.md. Tests may import more: they build worlds.
func table() []row {
	return []row{
		{"fault", ""},
		{"secret", ""},
		{"effect", ""},
		{"event", ""},
		{"value", "fault"},
		{"access", "fault"},
		{"schema", "fault value secret"},
		{"connector", foundation},
		{"internal/limits", "fault schema"},
		{"internal/leak", ""},
		{"internal/disk", "fault effect internal/limits access"},
		{"internal/livefile", "fault effect internal/disk"},
		{"internal/egress", foundation + " internal/limits"},
		{"internal/template", foundation + " internal/limits"},
		{"internal/infer", foundation + " internal/jsonfix"},
		{"internal/jsonfix", foundation + " internal/limits"},
		{"subsystem/llm/llm", foundation + " connector internal/limits subsystem/security/account subsystem/security/vault subsystem/llm/models"},
		{"subsystem/agent/catalog", foundation + " connector component internal/limits subsystem/security/account"},
		{"subsystem/agent/agentdata", foundation + " connector internal/agentfile internal/limits subsystem/security/account"},
		{"subsystem/*/*", foundation + " connector internal/limits subsystem/security/account"},
		{"subsystem/*/*/*test", foundation + " connector internal/limits subsystem/security/account {parent} subsystem/security/vault subsystem/llm/models component"},
		{"subsystem/*/*/*", foundation + " connector internal/limits internal/disk internal/livefile internal/jsonfix internal/agentfile component {parent}"},
		{"scope", foundation + " connector " + services},
		{"component", foundation + " scope"},
		{"components/*", foundation + " scope component internal/template internal/infer internal/jsonfix internal/limits internal/binary " + services},
		{"internal/binary", foundation + " scope component internal/limits internal/infer internal/smythfs subsystem/io/storage"},
		{"internal/smythfs", foundation},
		{"internal/kernel", foundation + " connector internal/limits internal/disk internal/egress"},
		{"internal/agentfile", foundation + " component internal/limits"},
		{"internal/openapi", foundation + " component internal/agentfile"},
		{"internal/workflow", foundation + " component internal/agentfile internal/template internal/limits"},
		{"internal/engine", foundation + " scope component internal/workflow internal/infer internal/limits"},
		{"internal/agent", below},
		{"internal/httpserver", below},
		{"internal/cli", below + " . internal/httpserver internal/refdoc"},
		{"internal/refdoc", foundation + " connector component . internal/limits"},
		{"", below},
		{"bundle/*", ". connector component components/* subsystem/*/* subsystem/*/*/*"},
		{"cmd/sre", ". bundle/* internal/cli"},
		{"internal/testmodel", foundation + " internal/testtarget/loopback internal/jsonfix"},
		{"internal/testtarget", foundation + " internal/testtarget/loopback"},
		{"internal/testtarget/loopback", foundation},
		{"internal/conformance", foundation + " component internal/testmodel internal/testtarget"},
		{"internal/conformance/kernelops", below + " internal/conformance"},
		{"internal/arch", ""},
	}
}

// checkImports compares the imports of the files that are no tests with the table.
func checkImports(files []*file) []string {
	var findings []string
	for _, f := range files {
		if f.test {
			continue
		}
		r, ok := rowOf(f.pkg)
		if !ok {
			findings = append(findings, fmt.Sprintf("%s: the import table has no row for %q", f.path, f.pkg))
			continue
		}
		for _, imp := range f.imports() {
			own, ours := strings.CutPrefix(imp, module)
			if !ours || own != "" && own[0] != '/' {
				continue
			}
			if own = strings.TrimPrefix(own, "/"); !allowed(r, f.pkg, own) {
				findings = append(findings, fmt.Sprintf("%s: %q may not import %q", f.path, f.pkg, own))
			}
		}
	}
	return findings
}

func rowOf(pkg string) (row, bool) {
	for _, r := range table() {
		if matches(r.packages, pkg) {
			return r, true
		}
	}
	return row{}, false
}

func allowed(r row, pkg, imported string) bool {
	for _, p := range strings.Fields(r.may) {
		if p == "." {
			p = ""
		}
		if matches(strings.ReplaceAll(p, "{parent}", path.Dir(pkg)), imported) {
			return true
		}
	}
	return false
}

func matches(pattern, pkg string) bool {
	ok, err := path.Match(pattern, pkg)
	return err == nil && ok
}

func TestImportTable(t *testing.T) {
	t.Parallel()
	report(t, checkImports(tree(t)))
}

func TestImportTable_Finds(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, path, text string }{
		{"upwards", "value/x.go", "package value\nimport _ \"github.com/sre-go/sre/component\""},
		{"sideways", "subsystem/io/storage/ramstorage/x.go", "package ramstorage\nimport _ \"github.com/sre-go/sre/subsystem/memory/cache\""},
		{"no row", "newroom/x.go", "package newroom"},
	}
	for _, test := range tests {
		if got := find(t, checkImports, test.path, test.text); len(got) != 1 {
			t.Errorf("%s: found %q, want one finding", test.name, got)
		}
	}
	if got := find(t, checkImports, "subsystem/io/storage/ramstorage/x.go", "package ramstorage\nimport _ \"github.com/sre-go/sre/subsystem/io/storage\""); len(got) != 0 {
		t.Errorf("a connector and its service: found %q, want nothing", got)
	}
}
