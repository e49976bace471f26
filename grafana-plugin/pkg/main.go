// The backend of Grafana's Ringflow data source: it forwards queries to a collector and holds no query logic.
package main

import (
	"os"

	"github.com/grafana/grafana-plugin-sdk-go/backend/datasource"
	"github.com/grafana/grafana-plugin-sdk-go/backend/log"

	"github.com/ringflow/ringflow/grafana-plugin/pkg/plugin"
)

func main() {
	if err := datasource.Manage("ringflow-flows-datasource", plugin.New, datasource.ManageOpts{}); err != nil {
		log.DefaultLogger.Error(err.Error())
		os.Exit(1)
	}
}
