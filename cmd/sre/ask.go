package main

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/term"

	"github.com/sre-go/sre/fault"
	"github.com/sre-go/sre/secret"
)

// exitInterrupted is what shells expect of a program that an interrupt has ended.
const exitInterrupted = 130

// asker returns how whoever sits at the terminal is asked, nil when standard input is no terminal.
func asker() func(context.Context, string) (secret.Value, error) {
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return nil
	}
	return ask
}

// ask shows a question on standard error and reads a line without showing it. Reading a terminal cannot be broken off, so
// an interrupt puts the terminal back as it was and ends the program: a question comes before anything is under way.
func ask(ctx context.Context, question string) (secret.Value, error) {
	fd := int(os.Stdin.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return secret.Value{}, fault.New(fault.Unavailable, err)
	}
	_, _ = fmt.Fprint(os.Stderr, question)
	stop := context.AfterFunc(ctx, func() {
		_ = term.Restore(fd, before)
		_, _ = fmt.Fprintln(os.Stderr)
		os.Exit(exitInterrupted)
	})
	line, err := term.ReadPassword(fd)
	stop()
	_, _ = fmt.Fprintln(os.Stderr)
	if err != nil {
		return secret.Value{}, fault.Newf(fault.Canceled, "the question was not answered: %w", err)
	}
	defer clear(line)
	return secret.New(string(line)), nil
}
