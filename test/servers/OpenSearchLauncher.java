// Starts one OpenSearch node on loopback inside this JVM and says its port; ends when its standard input ends.
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.opensearch.common.settings.Settings;
import org.opensearch.http.HttpServerTransport;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;

public final class OpenSearchLauncher {
    public static void main(String[] args) throws Exception {
        Path home = Path.of(args[0]);
        Path data = Path.of(args[1]);
        Path config = data.resolve("config");
        Files.createDirectories(config);
        Map<String, String> settings = Map.ofEntries(
            Map.entry("path.home", home.toString()),
            Map.entry("path.data", data.resolve("data").toString()),
            Map.entry("path.logs", data.resolve("logs").toString()),
            Map.entry("cluster.name", "wache-test"),
            Map.entry("node.name", "one"),
            Map.entry("network.host", "127.0.0.1"),
            Map.entry("http.port", args[2]),
            Map.entry("transport.port", "0"),
            Map.entry("discovery.type", "single-node"),
            Map.entry("node.processors", "2"),
            Map.entry("cluster.routing.allocation.disk.threshold_enabled", "false"));
        Node node = new Node(InternalSettingsPreparer.prepareEnvironment(Settings.EMPTY, settings, config, () -> "one"));
        node.start();
        int port = node.injector().getInstance(HttpServerTransport.class).boundAddress().publishAddress().getPort();
        System.out.println("READY " + port);
        while (System.in.read() >= 0) {
        }
        node.close();
        System.exit(0);
    }
}
