package arch

import (
	"fmt"
	"go/ast"
	"slices"
	"testing"
)

// checkDeclarations finds init functions, panics, and exported names without a comment.
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
				if d.Name.IsExported() && d.Doc == nil && needsComment(d) {
					findings = append(findings, undocumented(f, d, d.Name.Name))
				}
			case *ast.GenDecl:
				findings = append(findings, checkComments(f, d)...)
			}
		}
		if !slices.Contains(panicking(), f.pkg) {
			findings = append(findings, panics(f)...)
		}
	}
	return findings
}

// panicking names the packages that may panic: on a definition or a grant that is a mistake in the program, met by any
// test that touches it. Bad input is never a reason.
func panicking() []string { return []string{"access", "connector", "schema"} }

// panics finds calls of panic. Breaking off an answer is a panic by the rules of net/http and all right, and so is throwing on
// what was recovered.
func panics(f *file) []string {
	var findings []string
	ast.Inspect(f.ast, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if id, ok := call.Fun.(*ast.Ident); !ok || id.Name != "panic" || local(id) {
			return true
		}
		if sel, ok := call.Args[0].(*ast.SelectorExpr); ok && sel.Sel.Name == "ErrAbortHandler" || recovered(call.Args[0]) {
			return true
		}
		findings = append(findings, fmt.Sprintf("%s:%d: panic: return an error", f.path, f.line(call)))
		return true
	})
	return findings
}

// recovered reports whether an expression is what recover returned: what is not ours is thrown on.
func recovered(e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	if !ok {
		return false
	}
	assign, ok := declaration(id).(*ast.AssignStmt)
	if !ok || len(assign.Rhs) != 1 {
		return false
	}
	call, ok := assign.Rhs[0].(*ast.CallExpr)
	return ok && callName(call.Fun) == "recover"
}

// needsComment reports whether an exported function or method is seen from outside and not known to everybody.
func needsComment(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	if slices.Contains([]string{"Error", "String", "Unwrap", "GoString", "Format", "MarshalText", "MarshalJSON", "LogValue", "Is", "ServeHTTP"}, d.Name.Name) {
		return false
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
			return x.IsExported()
		default:
			return false
		}
	}
}

// checkComments finds exported types, constants and variables without a comment; one of their group is enough.
func checkComments(f *file, d *ast.GenDecl) []string {
	var findings []string
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.TypeSpec:
			if s.Name.IsExported() && s.Doc == nil && d.Doc == nil {
				findings = append(findings, undocumented(f, s, s.Name.Name))
			}
		case *ast.ValueSpec:
			for _, name := range s.Names {
				if name.IsExported() && s.Doc == nil && s.Comment == nil && d.Doc == nil {
					findings = append(findings, undocumented(f, s, name.Name))
				}
			}
		}
	}
	return findings
}

func undocumented(f *file, n ast.Node, name string) string {
	return fmt.Sprintf("%s:%d: exported %s has no comment", f.path, f.line(n), name)
}

func TestDeclarations_Finds(t *testing.T) {
	t.Parallel()
	tests(t, checkDeclarations, []sample{
		{"init", "x/x.go", "package x\nfunc init() {}", 1},
		{"method init", "x/x.go", "package x\nfunc (t) init() {}", 0},
		{"undocumented function", "x/x.go", "package x\nfunc Open() {}", 1},
		{"undocumented method", "x/x.go", "package x\nfunc (T[A, B]) Open() {}", 1},
		{"method of a hidden type", "x/x.go", "package x\nfunc (t) Open() {}", 0},
		{"undocumented type", "x/x.go", "package x\ntype Open struct{}", 1},
		{"undocumented type of a group", "x/x.go", "package x\ntype (\n\tOpen struct{}\n)", 1},
		{"undocumented constant", "x/x.go", "package x\nconst Big = 1", 1},
		{"constants of a group", "x/x.go", "package x\n// The sizes.\nconst (\n\tBig = 1\n\tBigger = 2\n)", 0},
		{"documented", "x/x.go", "package x\n// Open opens.\nfunc Open() {}", 0},
		{"panic", "x/x.go", "package x\nfunc f() { panic(1) }", 1},
		{"panic of net/http", "x/x.go", "package x\nfunc f() { panic(http.ErrAbortHandler) }", 0},
		{"panic that is thrown on", "x/x.go", "package x\nfunc f() { if p := recover(); p != nil { panic(p) } }", 0},
		{"panic in a test", "x/x_test.go", "package x\nfunc f() { panic(1) }", 0},
	})
}
