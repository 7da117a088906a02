package arch

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
)

// checkSuites finds connectors that the suite of their service is not run against.
func checkSuites(files []*file) []string {
	ran := map[string]bool{} // connector packages
	for _, f := range files {
		if !matches("subsystem/*/*/*", f.pkg) || strings.HasSuffix(f.pkg, "test") {
			continue
		}
		ran[f.pkg] = ran[f.pkg] || f.test && slices.Contains(f.imports(), module+"/"+suiteOf(f.pkg))
	}
	var findings []string
	for pkg, ok := range ran {
		if !ok {
			findings = append(findings, fmt.Sprintf("package %q: its tests do not run the suite of its service, %s", pkg, suiteOf(pkg)))
		}
	}
	slices.Sort(findings)
	return findings
}

// suiteOf returns the package of the suite that a connector has to pass.
func suiteOf(connector string) string {
	service := path.Dir(connector)
	return service + "/" + path.Base(service) + "test"
}

func TestSuites_Finds(t *testing.T) {
	t.Parallel()
	const suite = "package x\nimport _ \"github.com/sre-go/sre/subsystem/io/storage/storagetest\""
	tests(t, checkSuites, []sample{
		{"no tests", "subsystem/io/storage/x/x.go", "package x", 1},
		{"tests of its own", "subsystem/io/storage/x/x_test.go", "package x", 1},
		{"suite outside of the tests", "subsystem/io/storage/x/x.go", suite, 1},
		{"suite of another service", "subsystem/io/nkv/x/x_test.go", suite, 1},
		{"suite", "subsystem/io/storage/x/x_test.go", suite, 0},
		{"the suite itself", "subsystem/io/storage/storagetest/x.go", "package storagetest", 0},
		{"a service", "subsystem/io/storage/x.go", "package storage", 0},
	})
}
