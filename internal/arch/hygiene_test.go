package arch

import (
	"fmt"
	"go/ast"
	"go/token"
	"path"
	"strings"
	"testing"
)

// maxLines bounds a source file.
const maxLines = 600

func checkFiles(files []*file) []string {
	var findings []string
	documented := map[string]bool{}
	for _, f := range files {
		if n := strings.Count(f.text, "\n"); n > maxLines {
			findings = append(findings, fmt.Sprintf("%s: has %d lines, at most %d: one idea a file", f.path, n, maxLines))
		}
		documented[f.pkg] = documented[f.pkg] || f.ast.Doc != nil
		for _, word := range []string{"TO" + "DO", "FIX" + "ME", "XX" + "X"} {
			if strings.Contains(f.text, word) {
				findings = append(findings, fmt.Sprintf("%s: holds the word %s: do it now or write it into an issue", f.path, word))
			}
		}
		switch path.Base(f.pkg) {
		case "util", "utils", "common", "helpers", "types", "misc":
			findings = append(findings, fmt.Sprintf("%s: %s is no name of a room", f.path, path.Base(f.pkg)))
		}
	}
	for pkg, ok := range documented {
		if !ok {
			findings = append(findings, fmt.Sprintf("package %q has no package comment", pkg))
		}
	}
	return findings
}

// checkDeclarations finds init functions, package variables that can change, and exported names without a comment.
func checkDeclarations(files []*file) []string {
	var findings []string
	for _, f := range files {
		if f.test {
			continue
		}
		for _, d := range f.ast.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.Name == "init" {
					findings = append(findings, fmt.Sprintf("%s:%d: init function: build it where it is used", f.path, f.line(d)))
				}
				if d.Name.IsExported() && d.Doc == nil && exportedReceiver(d) {
					findings = append(findings, fmt.Sprintf("%s:%d: exported %s has no comment", f.path, f.line(d), d.Name.Name))
				}
			case *ast.GenDecl:
				findings = append(findings, checkGeneral(f, d)...)
			}
		}
	}
	return findings
}

// exportedReceiver reports whether a method belongs to an exported type, or is a function.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	t := d.Recv.List[0].Type
	for {
		switch x := t.(type) {
		case *ast.StarExpr:
			t = x.X
		case *ast.IndexExpr:
			t = x.X
		case *ast.IndexListExpr:
			t = x.X
		case *ast.Ident:
			return x.IsExported() && !interfaceMethod(d.Name.Name)
		default:
			return false
		}
	}
}

// interfaceMethod names methods whose meaning everybody knows.
func interfaceMethod(name string) bool {
	switch name {
	case "Error", "String", "Unwrap", "GoString", "Format", "MarshalText", "MarshalJSON", "LogValue", "Is", "ServeHTTP":
		return true
	}
	return false
}

func checkGeneral(f *file, d *ast.GenDecl) []string {
	var findings []string
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.TypeSpec:
			if s.Name.IsExported() && s.Doc == nil && d.Doc == nil {
				findings = append(findings, fmt.Sprintf("%s:%d: exported %s has no comment", f.path, f.line(s), s.Name.Name))
			}
		case *ast.ValueSpec:
			if d.Tok == token.VAR && !hasEmbed(d.Doc) && !hasEmbed(s.Doc) && !constant(s) {
				findings = append(findings, fmt.Sprintf("%s:%d: package variable %s can change: make it a function, or a part of something", f.path, f.line(s), s.Names[0].Name))
			}
		}
	}
	return findings
}

// constant reports whether a package variable is one that nobody changes: blank checks of interfaces, errors, compiled
// expressions, definitions, embedded files, and tables of plain values.
func constant(s *ast.ValueSpec) bool {
	if s.Names[0].Name == "_" {
		return true
	}
	for _, v := range s.Values {
		if !constantValue(v) {
			return false
		}
	}
	return len(s.Values) > 0
}

// hasEmbed reports whether a comment embeds a file into the variable below it.
func hasEmbed(doc *ast.CommentGroup) bool {
	if doc == nil {
		return false
	}
	for _, c := range doc.List {
		if strings.HasPrefix(c.Text, "//go:embed") {
			return true
		}
	}
	return false
}

func constantValue(v ast.Expr) bool {
	switch v := v.(type) {
	case *ast.BasicLit:
		return false // a constant
	case *ast.CallExpr:
		name := callName(v.Fun)
		for _, ok := range []string{"New", "Newf", "Hint", "Limitf", "MustCompile", "Define", "DefineWithFinish", "WithDoc", "WithCheck", "NewReplacer", "MustParse", "MustParsePrefix", "NotFoundf", "ErrorType", "TypeFor", "For", "MustParseAddr", "NewEncoding", "WithPadding"} {
			if name == ok {
				return true
			}
		}
		return false
	case *ast.UnaryExpr:
		_, isLit := v.X.(*ast.CompositeLit)
		return v.Op == token.AND && isLit
	case *ast.CompositeLit:
		return true
	}
	return false
}

func callName(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.Ident:
		return e.Name
	case *ast.IndexExpr:
		return callName(e.X)
	}
	return ""
}

// checkTests finds tests that wait by the clock or do not run.
func checkTests(files []*file) []string {
	var findings []string
	for _, f := range files {
		if !f.test || f.pkg == "internal/arch" {
			continue
		}
		for _, bad := range []string{"t.Skip(", "t.Skipf(", "t.SkipNow(", "b.Skip("} {
			if strings.Contains(f.text, bad) {
				findings = append(findings, fmt.Sprintf("%s: %s...): a test that needs something fails when it is missing", f.path, bad))
			}
		}
		if strings.Contains(f.text, "time.Sleep(") && !strings.Contains(f.text, "synctest.") {
			findings = append(findings, f.path+": time.Sleep in a test: use testing/synctest")
		}
	}
	return findings
}

func TestFiles(t *testing.T)        { t.Parallel(); report(t, checkFiles(tree(t))) }
func TestDeclarations(t *testing.T) { t.Parallel(); report(t, checkDeclarations(tree(t))) }
func TestTests(t *testing.T)        { t.Parallel(); report(t, checkTests(tree(t))) }

func TestHygiene_Finds(t *testing.T) {
	t.Parallel()
	long := "// Package x is.\npackage x\n" + strings.Repeat("\n", maxLines)
	tests := []struct {
		name  string
		check func([]*file) []string
		path  string
		text  string
	}{
		{"long file", checkFiles, "x/x.go", long},
		{"no package comment", checkFiles, "x/x.go", "package x"},
		{"unfinished", checkFiles, "x/x.go", "// Package x is.\npackage x\n// TO" + "DO: more"},
		{"room without a name", checkFiles, "internal/util/x.go", "// Package util is.\npackage util"},
		{"init", checkDeclarations, "x/x.go", "package x\nfunc init() {}"},
		{"mutable", checkDeclarations, "x/x.go", "package x\nvar count int"},
		{"cache", checkDeclarations, "x/x.go", "package x\nvar cache = make(map[string]int)"},
		{"undocumented function", checkDeclarations, "x/x.go", "package x\nfunc Open() {}"},
		{"undocumented type", checkDeclarations, "x/x.go", "package x\ntype Open struct{}"},
		{"skip", checkTests, "x/x_test.go", "package x\nfunc f() { t.Skip(1) }"},
		{"sleep", checkTests, "x/x_test.go", "package x\nfunc f() { time.Sleep(1) }"},
	}
	for _, test := range tests {
		if got := find(t, test.check, test.path, test.text); len(got) != 1 {
			t.Errorf("%s: found %q, want one finding", test.name, got)
		}
	}
	fine := "package x\nimport \"regexp\"\nvar form = regexp.MustCompile(`x`)\nvar _ error = (*e)(nil)\n// Open opens.\nfunc Open() {}"
	if got := find(t, checkDeclarations, "x/x.go", fine); len(got) != 0 {
		t.Errorf("fine: found %q, want nothing", got)
	}
}
