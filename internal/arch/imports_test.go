package arch

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
)

// row says what the packages of a pattern may import of this module, besides themselves.
type row struct {
	packages string // pattern of folders, "." for the root: "subsystem/*/*"; the first row that matches counts
	may      string // patterns and names of groups, separated by spaces; {service} is the folder above
}

// groups are names for what many rows have in common.
func groups() []row {
	return []row{
		{"foundation", "access secret fault value effect schema event"},
		{"services", "subsystem/*/*"},
		{"text", "internal/template internal/infer internal/jsonfix internal/binary internal/smythfs internal/largevalue"},
		{"core", "internal/kernel internal/agentfile internal/workflow internal/engine internal/agent internal/openapi"},
		{"below", "foundation connector services scope component text core internal/limits internal/disk internal/egress internal/hop internal/redact"},
	}
}

// table is the import table; docs/design.md shows it. Tests may import more: they build worlds.
func table() []row {
	return []row{
		{"fault", ""},
		{"secret", ""},
		{"effect", ""},
		{"event", ""},
		{"value", "fault"},
		{"access", "fault"},
		{"schema", "fault value secret"},
		{"connector", "foundation internal/limits"},
		{"internal/limits", "fault schema"},
		{"internal/leak", ""},
		{"internal/disk", "fault effect access internal/limits"},
		{"internal/disk/disktest", "fault internal/disk"},
		{"internal/redact", "secret value"},
		{"internal/audit", "foundation internal/disk"},
		{"internal/livefile", "fault effect internal/disk"},
		{"internal/vaultfile", "foundation connector internal/limits internal/disk internal/livefile subsystem/security/vault"},
		{"internal/sealed", "fault secret effect internal/disk internal/livefile internal/vaultfile"},
		{"internal/sqlite", "fault internal/disk"},
		{"internal/redis", "foundation connector"},
		{"internal/redis/redistest", "foundation"},
		{"internal/tokenfile", "foundation internal/limits internal/disk subsystem/security/account"},
		{"internal/recent", ""},
		{"internal/scan", ""},
		{"internal/scrub", "fault secret value internal/scan"},
		{"internal/parcel", "access fault value"},
		{"internal/reload", "fault effect internal/disk"},
		{"internal/hop", "fault effect internal/disk"},
		{"internal/egress", "foundation internal/limits internal/hop"},
		{"internal/template", "foundation internal/limits"},
		{"internal/jsonfix", "foundation internal/limits"},
		{"internal/infer", "foundation internal/jsonfix"},
		{"internal/chunk", "fault"},
		{"internal/aclform", "access fault value"},
		{"internal/largevalue", "fault value"},
		{"internal/smythfs", "foundation"},
		{"internal/binary", "foundation scope component internal/limits internal/infer internal/smythfs subsystem/io/storage"},
		{"subsystem/llm/llm", "foundation connector internal/limits internal/budget internal/oauth subsystem/security/account subsystem/security/vault subsystem/security/managedvault subsystem/llm/models"},
		{"subsystem/agent/catalog", "foundation connector component internal/limits subsystem/security/account"},
		{"subsystem/agent/agentdata", "foundation connector internal/agentfile internal/limits subsystem/security/account"},
		{"subsystem/io/vectordb", "foundation connector internal/limits internal/chunk subsystem/security/account subsystem/llm/llm"},
		{"subsystem/io/vectordb/vectordbtest", "{service} foundation access/accesstest connector subsystem/llm/llm"},
		{"subsystem/observe/logsink", "foundation connector internal/limits internal/redact"},
		{"subsystem/*/*", "foundation connector internal/limits subsystem/security/account"},
		{"subsystem/security/vault/*vault", "{service} foundation connector internal/limits internal/disk internal/livefile internal/vaultfile internal/sealed"},
		{"subsystem/security/account/*account", "{service} foundation connector internal/limits internal/disk internal/livefile internal/sqlite internal/tokenfile"},
		{"access/accesstest", "access fault"},
		{"subsystem/*/*/*test", "{service} foundation access/accesstest connector component internal/limits subsystem/security/account subsystem/security/vault subsystem/llm/models"},
		{"subsystem/llm/llm/*llm", "{service} foundation connector internal/limits subsystem/llm/models"},
		{"subsystem/*/*/*", "{service} foundation connector component internal/limits internal/disk internal/livefile internal/sqlite internal/redis internal/recent internal/jsonfix internal/agentfile internal/aclform"},
		{"scope", "foundation connector services"},
		{"component", "foundation scope"},
		{"internal/publicfile", "foundation scope services internal/smythfs internal/limits"},
		{"internal/oauth", "foundation connector internal/limits"},
		{"internal/untrusted", ""},
		{"internal/childprocess", "fault"},
		{"internal/apispec", "fault value internal/untrusted"},
		{"internal/mcpclient", "foundation component internal/childprocess internal/limits internal/sqlite internal/untrusted"},
		{"components/plugins", "foundation scope component services text internal/limits internal/apispec"},
		{"components/web", "foundation scope component services text internal/limits internal/egress internal/oauth internal/publicfile"},
		{"components/files", "foundation scope component services text internal/limits internal/publicfile"},
		{"components/*", "foundation scope component services text internal/limits"},
		{"internal/kernel", "foundation connector internal/limits internal/disk internal/egress"},
		{"internal/agentfile", "foundation component internal/limits"},
		{"internal/openapi", "foundation component internal/agentfile"},
		{"internal/workflow", "foundation component internal/agentfile internal/template internal/limits"},
		{"internal/engine", "foundation scope component internal/workflow internal/infer internal/limits"},
		{"internal/budget", "fault"},
		{"internal/ledger", "fault internal/budget internal/sqlite"},
		{"internal/tokens", ""},
		{"internal/jsonschema", "fault value"},
		{"internal/conversation", "foundation subsystem/llm/llm internal/jsonfix internal/jsonschema internal/limits"},
		{"internal/planner", "foundation internal/conversation subsystem/llm/llm"},
		{"internal/chats", "foundation internal/conversation internal/sqlite subsystem/llm/llm"},
		{"internal/agent", "below"},
		{".", "below internal/audit internal/budget internal/ledger internal/tokens internal/conversation internal/planner internal/chats internal/mcpclient internal/childprocess internal/oauth"},
		{"internal/httpserver", ". below"},
		{"internal/refdoc", ". foundation connector component internal/limits internal/egress"},
		{"internal/cli", ". below internal/audit internal/ledger internal/budget internal/conversation internal/planner internal/reload internal/livefile internal/vaultfile internal/sealed internal/oauth internal/publicfile internal/httpserver internal/refdoc internal/testmodel internal/mcpclient internal/untrusted internal/parcel internal/scrub"},
		{"bundle/*", ". connector component components/* subsystem/*/* subsystem/*/*/*"},
		{"cmd/sre", ". fault secret bundle/* internal/cli"},
		{"internal/testtarget/loopback", "foundation"},
		{"internal/testtarget", "foundation internal/testtarget/loopback"},
		{"internal/realmodel", ""},
		{"internal/testmodel", "foundation internal/testtarget/loopback internal/jsonfix"},
		{"internal/conformance", "foundation component internal/testmodel internal/testtarget"},
		{"internal/conformance/kernelops", "below internal/conformance internal/aclform"},
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

// rowOf returns the row of a package.
func rowOf(pkg string) (row, bool) {
	for _, r := range table() {
		if matches(r.packages, pkg) {
			return r, true
		}
	}
	return row{}, false
}

// allowed reports whether a row, or a group in it, lets a package import another.
func allowed(r row, pkg, imported string) bool {
	for _, p := range strings.Fields(r.may) {
		if i := slices.IndexFunc(groups(), func(g row) bool { return g.packages == p }); i >= 0 {
			if allowed(groups()[i], pkg, imported) {
				return true
			}
		} else if matches(strings.ReplaceAll(p, "{service}", path.Dir(pkg)), imported) {
			return true
		}
	}
	return false
}

// matches reports whether a folder, "" for the root, is one of a pattern.
func matches(pattern, pkg string) bool {
	if pkg == "" {
		pkg = "."
	}
	ok, err := path.Match(pattern, pkg)
	return err == nil && ok
}

func TestImportTable_Finds(t *testing.T) {
	t.Parallel()
	const ram = "package ramstorage\nimport _ \"github.com/sre-go/sre/"
	tests(t, checkImports, []sample{
		{"upwards", "value/x.go", "package value\nimport _ \"github.com/sre-go/sre/component\"", 1},
		{"sideways", "subsystem/io/storage/ramstorage/x.go", ram + "subsystem/memory/cache\"", 1},
		{"another connector", "subsystem/io/storage/ramstorage/x.go", ram + "subsystem/io/storage/localstorage\"", 1},
		{"the whole runtime", "components/x/x.go", "package x\nimport _ \"github.com/sre-go/sre\"", 1},
		{"no row", "newroom/x.go", "package newroom", 1},
		{"its service", "subsystem/io/storage/ramstorage/x.go", ram + "subsystem/io/storage\"", 0},
		{"a module of the same beginning", "value/x.go", "package value\nimport _ \"github.com/sre-go/sretools\"", 0},
		{"test", "value/x_test.go", "package value\nimport _ \"github.com/sre-go/sre/component\"", 0},
	})
}
