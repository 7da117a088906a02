package kernel

import "time"

// Report says what a boot did and how long it took.
type Report struct {
	Phases []Phase
}

// Phase is one of the four phases of a boot.
type Phase struct {
	Name  string
	Took  time.Duration
	Steps []Step
}

// Step is one thing that a phase did.
type Step struct {
	Name   string // "Storage/LocalStorage"
	Detail string // "default; from .smyth/config.json"
	Took   time.Duration
}

// Took returns the time of all phases together.
func (r Report) Took() time.Duration {
	var all time.Duration
	for _, p := range r.Phases {
		all += p.Took
	}
	return all
}

// phase runs work as a phase of the boot.
func (k *Kernel) phase(name string, work func() error) error {
	k.report.Phases = append(k.report.Phases, Phase{Name: name})
	start := k.now()
	err := work()
	k.report.Phases[len(k.report.Phases)-1].Took = k.now().Sub(start)
	return err
}

// step runs work as a step of the phase under way.
func (k *Kernel) step(name, detail string, work func() error) error {
	start := k.now()
	err := work()
	p := &k.report.Phases[len(k.report.Phases)-1]
	p.Steps = append(p.Steps, Step{Name: name, Detail: detail, Took: k.now().Sub(start)})
	return err
}
