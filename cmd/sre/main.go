// Command sre runs AI agents.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"

	"github.com/sre-go/sre/bundle/std"
	"github.com/sre-go/sre/internal/cli"
)

func main() { os.Exit(run()) }

// collectAt is how far the heap may grow before it is collected, in percent of what is in use. The heap of this program
// is small, so it is let grow: fewer collections, shorter waits of requests. $GOGC says otherwise.
const collectAt = 400

func run() int {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(collectAt)
	}
	interrupts := new(cli.Interrupts)
	ctx, stop := untilSignal(interrupts)
	defer stop()
	work, err := os.Getwd()
	if err != nil {
		work = "."
	}
	home, _ := os.UserHomeDir() // none: nothing is read from it
	info, _ := os.Stdout.Stat()
	m := cli.Machine{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv, Work: work, Home: home, Ask: asker(), Interrupts: interrupts,
		Terminal: info != nil && info.Mode()&os.ModeCharDevice != 0,
		Version:  version(), BuildInfo: runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH,
	}
	return cli.Main(ctx, std.Set(), m, os.Args[1:])
}

// untilSignal returns a context that ends when the process is told to end, unless the command takes the interrupt for
// something that goes on. A second signal ends the process at once.
func untilSignal(interrupts *cli.Interrupts) (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case s := <-signals:
				if s == os.Interrupt && interrupts.Interrupt() {
					continue
				}
				signal.Stop(signals)
				cancel()
				return
			case <-ctx.Done():
				return
			}
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel()
		<-ended
	}
}

// version is that of the module the command was built from.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}
