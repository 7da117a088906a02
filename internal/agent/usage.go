package agent

import (
	"sync"
	"time"

	"github.com/sre-go/sre/internal/engine"
)

// Usage is what runs of an agent have used, apart from what the agents used that they called.
type Usage struct {
	engine.Usage
	Runs int64         // that came to an end, also by an error; background jobs count
	Wall time.Duration // from their beginnings to their ends, added up
}

// usage adds up what the runs of an agent use.
type usage struct {
	mu    sync.Mutex
	total Usage
}

func (u *usage) add(run engine.Usage, wall time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.total.Usage = u.total.Add(run)
	u.total.Runs++
	u.total.Wall += wall
}

// Usage returns what the runs have used that came to an end since the agent was loaded.
func (a *Agent) Usage() Usage {
	a.usage.mu.Lock()
	defer a.usage.mu.Unlock()
	return a.usage.total
}
