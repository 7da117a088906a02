package arch

import (
	"fmt"
	"go/ast"
	"path"
	"slices"
	"strings"
	"testing"
)

// checkTests finds tests that do not run, that wait by the clock, and that cannot fail. One that fails by a panic alone
// says so in its comment.
func checkTests(files []*file) []string {
	var findings []string
	for _, f := range files {
		if !f.test || f.pkg == "internal/arch" {
			continue
		}
		for _, bad := range []string{"t.Skip(", "t.Skipf(", "t.SkipNow(", "b.Skip(", "f.Skip("} {
			if strings.Contains(f.text, bad) {
				findings = append(findings, fmt.Sprintf("%s: %s...): a test that needs something fails when it is missing", f.path, bad))
			}
		}
		if strings.Contains(f.text, "time.Sleep(") && !strings.Contains(f.text, "synctest.") {
			findings = append(findings, f.path+": time.Sleep in a test: use testing/synctest")
		}
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && isTest(fn) && !canFail(fn.Body) && !strings.Contains(fn.Doc.Text(), "panic") {
				findings = append(findings, fmt.Sprintf("%s: %s cannot fail", f.path, fn.Name.Name))
			}
		}
	}
	return findings
}

// isTest reports whether a function is a test, and returns true for TestX(t *testing.T) alone.
func isTest(fn *ast.FuncDecl) bool {
	if fn.Recv != nil || !strings.HasPrefix(fn.Name.Name, "Test") || len(fn.Type.Params.List) != 1 {
		return false
	}
	star, ok := fn.Type.Params.List[0].Type.(*ast.StarExpr)
	if !ok {
		return false
	}
	sel, ok := star.X.(*ast.SelectorExpr)
	return ok && sel.Sel.Name == "T"
}

// canFail reports whether a body has a call that fails a test, or hands its test to something that may.
func canFail(body *ast.BlockStmt) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return !found
		}
		name := callName(call.Fun)
		if slices.Contains([]string{"Error", "Errorf", "Fatal", "Fatalf", "Fail", "FailNow"}, name) {
			found = true
		}
		for i, arg := range call.Args {
			if id, ok := arg.(*ast.Ident); ok && id.Name == "t" && !(name == "Test" && literalAfter(call, i)) {
				found = true
			}
		}
		return !found
	})
	return found
}

// literalAfter reports whether the argument after i is a function literal: its body is looked at instead.
func literalAfter(call *ast.CallExpr, i int) bool {
	if i+1 >= len(call.Args) {
		return false
	}
	_, ok := call.Args[i+1].(*ast.FuncLit)
	return ok
}

// checkLeaks finds packages whose tests do not look for goroutines that are left.
func checkLeaks(files []*file) []string {
	watched := map[string]bool{} // packages with tests
	for _, f := range files {
		if !f.test {
			continue
		}
		watched[f.pkg] = watched[f.pkg] || slices.ContainsFunc(f.ast.Decls, func(d ast.Decl) bool {
			fn, ok := d.(*ast.FuncDecl)
			return ok && fn.Name.Name == "TestMain" && watches(f, fn)
		})
	}
	var findings []string
	for pkg, ok := range watched {
		if !ok {
			findings = append(findings, notWatched(pkg))
		}
	}
	slices.Sort(findings)
	return findings
}

// notWatched is the finding for a package.
func notWatched(pkg string) string {
	return fmt.Sprintf("package %q: its tests do not look for goroutines that are left: add TestMain with os.Exit(leak.Run(m))", pkg)
}

// watches reports whether a TestMain exits with what leak.Run says; in its own package it is called Run.
func watches(f *file, fn *ast.FuncDecl) bool {
	want := "leak.Run"
	if f.pkg == "internal/leak" {
		want = "Run"
	}
	found := false
	ast.Inspect(fn, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok && callName(call.Fun) == "Exit" && len(call.Args) == 1 {
			if inner, ok := call.Args[0].(*ast.CallExpr); ok {
				name := callName(inner.Fun)
				if sel, ok := inner.Fun.(*ast.SelectorExpr); ok {
					if x, ok := sel.X.(*ast.Ident); ok {
						name = path.Base(f.importNames()[x.Name]) + "." + name
					}
				}
				found = found || name == want
			}
		}
		return true
	})
	return found
}

func TestTests_Finds(t *testing.T) {
	t.Parallel()
	const head = "package x\nfunc TestX(t *testing.T) { "
	tests(t, checkTests, []sample{
		{"skip", "x/x_test.go", "package x\nfunc f() { t.Skip(1) }", 1},
		{"sleep", "x/x_test.go", "package x\nfunc f() { time.Sleep(1) }", 1},
		{"sleep in a bubble", "x/x_test.go", "package x\nfunc f() { synctest.Wait(); time.Sleep(1) }", 0},
		{"empty test", "x/x_test.go", head + "t.Parallel() }", 1},
		{"test that must not panic", "x/x_test.go", "package x\n// TestX: f does not panic.\nfunc TestX(t *testing.T) { f() }", 0},
		{"test that only calls", "x/x_test.go", head + "t.Log(f()) }", 1},
		{"empty bubble", "x/x_test.go", head + "synctest.Test(t, func(t *testing.T) { f() }) }", 1},
		{"bubble that fails", "x/x_test.go", head + "synctest.Test(t, func(t *testing.T) { t.Error(1) }) }", 0},
		{"subtest that fails", "x/x_test.go", head + "t.Run(`a`, func(t *testing.T) { t.Fatal(1) }) }", 0},
		{"suite", "x/x_test.go", head + "storagetest.Run(t, def) }", 0},
	})
}

func TestLeaks_Finds(t *testing.T) {
	t.Parallel()
	const head = "package x\nimport (\n\"os\"\n\"github.com/sre-go/sre/internal/leak\"\n)\n"
	tests(t, checkLeaks, []sample{
		{"no TestMain", "x/x_test.go", "package x", 1},
		{"no tests", "x/x.go", "package x", 0},
		{"TestMain of its own", "x/x_test.go", head + "func TestMain(m *testing.M) { os.Exit(m.Run()) }", 1},
		{"result thrown away", "x/x_test.go", head + "func TestMain(m *testing.M) { leak.Run(m) }", 1},
		{"watched", "x/x_test.go", head + "func TestMain(m *testing.M) { os.Exit(leak.Run(m)) }", 0},
	})
}
