package arch

import (
	"fmt"
	"go/ast"
	"go/token"
	"testing"
)

// checkGoroutines finds goroutines that nobody can wait for. A go statement must run a function literal that says when it
// ends: it closes a channel, sends on one, or calls Done of a group, deferred or as its last statement. Goroutines of a
// group ("x.Go") need a Wait of the same name in the package. Whether somebody does wait, the leak check of the tests tells.
func checkGoroutines(files []*file) []string {
	var findings []string
	waits := map[string]bool{} // package and name of a group
	for _, f := range files {
		calls(f, "Wait", func(group string, _ ast.Node) { waits[f.pkg+" "+group] = true })
	}
	for _, f := range files {
		if f.test {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if g, ok := n.(*ast.GoStmt); ok {
				lit, ok := g.Call.Fun.(*ast.FuncLit)
				if !ok || !announces(lit.Body) {
					findings = append(findings, fmt.Sprintf("%s:%d: go statement whose end nobody hears of: use a WaitGroup, or close a channel at its end", f.path, f.line(g)))
				}
			}
			return true
		})
		calls(f, "Go", func(group string, n ast.Node) {
			if !waits[f.pkg+" "+group] {
				findings = append(findings, fmt.Sprintf("%s:%d: %s.Go without a %s.Wait in the package", f.path, f.line(n), group, group))
			}
		})
	}
	return findings
}

// calls finds the calls of a method and gives the last name of what it is called on: "jobs" for s.jobs.Wait().
func calls(f *file, method string, found func(on string, n ast.Node)) {
	ast.Inspect(f.ast, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if sel, ok := call.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == method {
			switch x := sel.X.(type) {
			case *ast.Ident:
				found(x.Name, call)
			case *ast.SelectorExpr:
				found(x.Sel.Name, call)
			}
		}
		return true
	})
}

// announces reports whether a goroutine with this body says when it ends.
func announces(body *ast.BlockStmt) bool {
	for i, s := range body.List {
		switch s := s.(type) {
		case *ast.DeferStmt:
			if signal(s.Call) {
				return true
			}
			if lit, ok := s.Call.Fun.(*ast.FuncLit); ok && announces(lit.Body) {
				return true
			}
		case *ast.ExprStmt:
			if call, ok := s.X.(*ast.CallExpr); ok && i == len(body.List)-1 && signal(call) {
				return true
			}
		case *ast.SendStmt:
			if i == len(body.List)-1 {
				return true
			}
		case *ast.SelectStmt:
			if i == len(body.List)-1 && sends(s) {
				return true
			}
		}
	}
	return false
}

// signal reports whether a call tells another goroutine something: close(x) or x.Done().
func signal(call *ast.CallExpr) bool {
	switch f := call.Fun.(type) {
	case *ast.Ident:
		return f.Name == "close"
	case *ast.SelectorExpr:
		return f.Sel.Name == "Done"
	}
	return false
}

// sends reports whether a select sends, and does not give up at once when nobody receives.
func sends(s *ast.SelectStmt) bool {
	found := false
	for _, c := range s.Body.List {
		switch comm := c.(*ast.CommClause).Comm.(type) {
		case nil:
			return false
		case *ast.SendStmt:
			found = comm.Arrow != token.NoPos
		}
	}
	return found
}

func TestGoroutines_Finds(t *testing.T) {
	t.Parallel()
	const head = "package x\nfunc f() { "
	tests(t, checkGoroutines, []sample{
		{"forgotten", "x/x.go", head + "go g() }", 1},
		{"forgotten literal", "x/x.go", head + "go func() { g() }() }", 1},
		{"closes", "x/x.go", head + "go func() { defer close(done); g() }() }", 0},
		{"closes at the end", "x/x.go", head + "go func() { g(); close(done) }() }", 0},
		{"closes too early", "x/x.go", head + "go func() { close(done); g() }() }", 1},
		{"closes in a deferred literal", "x/x.go", head + "go func() { defer func() { close(done) }(); g() }() }", 0},
		{"done", "x/x.go", head + "go func() { defer s.group.Done(); g() }() }", 0},
		{"sends", "x/x.go", head + "go func() { answer <- g() }() }", 0},
		{"sends unless it ends", "x/x.go", head + "go func() { select { case answer <- 1: case <-ended: } }() }", 0},
		{"sends when somebody is there", "x/x.go", head + "go func() { select { case answer <- 1: default: } }() }", 1},
		{"group", "x/x.go", head + "s.group.Go(g); s.group.Wait() }", 0},
		{"group without wait", "x/x.go", head + "s.group.Go(g) }", 1},
		{"group with the wait of another", "x/x.go", head + "s.group.Go(g); s.others.Wait() }", 1},
		{"test", "x/x_test.go", head + "go g() }", 0},
	})
}
